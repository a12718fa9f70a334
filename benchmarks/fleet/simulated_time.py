"""A clock that jumps from event to event, and work that waits in it.

Work runs in greenlets: it may wait anywhere in its stack, as a thread does, and ten
thousand of them cost little. All of them run in one thread, in the order of time.
"""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING

import greenlet

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class SimulatedTime:
    """The clock and what is to happen.

    Attributes:
        now: Seconds since the start.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Callable[[], Any]]] = []
        self._numbers = itertools.count()
        self._hub = greenlet.getcurrent()

    def call_at(self, moment: float, work: Callable[[], Any]) -> None:
        """Call `work` then. It must not wait: see `start`."""
        heapq.heappush(self._events, (moment, next(self._numbers), work))

    def start(self, work: Callable[[], Any]) -> None:
        """Run work that may wait, as soon as others wait."""
        self.call_at(self.now, greenlet.greenlet(work, parent=self._hub).switch)

    def sleep(self, seconds: float) -> None:
        """Let the work that calls this wait."""
        self.call_at(self.now + seconds, greenlet.getcurrent().switch)
        self._hub.switch()

    def run(self, until: float) -> None:
        """Let everything happen that happens before that moment."""
        while self._events and self._events[0][0] < until:
            self.now, _, work = heapq.heappop(self._events)
            work()
        self.now = until


class Bell:
    """Wakes those who wait for a change, each after a while of his own.

    Args:
        time: The clock.
        uniform: For the whiles.
    """

    def __init__(
        self, time: SimulatedTime, uniform: Callable[[float, float], float]
    ) -> None:
        self._time = time
        self._uniform = uniform
        self._waiting: dict[object, tuple[Callable[[], Any], tuple[float, float]]] = {}

    def wait(self, poll_seconds: tuple[float, float], most_seconds: float) -> None:
        """Let the work that calls this wait until somebody rings, or for so long.

        Who polls sees a change after a part of his poll: so it is woken after that, and
        not many times for nothing.
        """
        token = object()
        self._waiting[token] = (greenlet.getcurrent().switch, poll_seconds)
        self._time.call_at(
            self._time.now + most_seconds, lambda: self._wake_in_time(token)
        )
        greenlet.getcurrent().parent.switch()

    def _wake_in_time(self, token: object) -> None:
        wake, _ = self._waiting.pop(token, (None, None))
        if wake is not None:
            wake()

    def ring(self) -> None:
        """Say that something has changed."""
        for wake, (_, longest) in self._waiting.values():
            self._time.call_at(self._time.now + self._uniform(0.0, longest), wake)
        self._waiting.clear()
