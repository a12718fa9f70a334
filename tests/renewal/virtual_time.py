"""Threads that take turns, and a clock that moves on when all of them wait.

So a test sees what real threads do over hours of waiting, in a moment and in the same
order each time. Exactly one thread runs at any time: the test, or an actor.
"""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

PATIENCE_SECONDS = 60


class AbandonedError(BaseException):
    """Ends an actor's thread at the end of a test."""


class Actor:
    """A thread that runs when it is its turn, until it waits or ends."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.turn = threading.Semaphore(0)
        self.wakes_at = 0.0
        self.awaited: Future[Any] | None = None
        self.is_done = False
        self.interrupt: BaseException | None = None
        self._work = work

    def is_ready(self, now: float) -> bool:
        """Return whether it has something to do."""
        is_answered = self.awaited is not None and self.awaited.done()
        return is_answered or self.interrupt is not None or now >= self.wakes_at

    def act(self) -> None:
        """Run, from the first turn on."""
        self.turn.acquire()
        try:
            self._work()
        except AbandonedError:
            pass
        finally:
            self.is_done = True


class VirtualTime:
    """A clock, and the actors that wait for it.

    Attributes:
        now: Seconds since the test began.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._actors: list[Actor] = []
        self._back = threading.Semaphore(0)
        self._local = threading.local()
        self._is_over = False

    def spawn(self, work: Callable[[], None]) -> Actor:
        """Add an actor. It runs when the test or the actor that calls this waits."""
        actor = Actor(work)
        actor.wakes_at = self.now

        def act() -> None:
            self._local.actor = actor
            actor.act()
            self._back.release()

        threading.Thread(target=act, daemon=True).start()
        self._actors.append(actor)
        return actor

    def sleep(self, seconds: float) -> None:
        """Let an actor wait for that long."""
        self._block(seconds, None)

    def wait(self, future: Future[Any], seconds: float) -> None:
        """Let an actor wait for the future, or for that long."""
        if not future.done():
            self._block(max(0.0, seconds), future)

    def _block(self, seconds: float, future: Future[Any] | None) -> None:
        actor: Actor = self._local.actor
        actor.wakes_at, actor.awaited = self.now + seconds, future
        self._back.release()
        actor.turn.acquire()
        if self._is_over:
            raise AbandonedError
        interrupt, actor.interrupt = actor.interrupt, None
        if interrupt is not None:
            raise interrupt

    def run(self, seconds: float = 0.0) -> None:
        """Let the actors act until so many seconds have passed."""
        end = self.now + seconds
        while True:
            ready = [each for each in self._actors if each.is_ready(self.now)]
            if ready:
                self._give_turn(ready[0])
                continue
            earliest = min((each.wakes_at for each in self._actors), default=math.inf)
            self.now = min(end, earliest)
            if earliest > end:
                return

    def abandon(self) -> None:
        """End all threads."""
        self._is_over = True
        for actor in list(self._actors):
            self._give_turn(actor)

    def _give_turn(self, actor: Actor) -> None:
        actor.turn.release()
        assert self._back.acquire(timeout=PATIENCE_SECONDS), "an actor hangs"
        if actor.is_done:
            self._actors.remove(actor)
