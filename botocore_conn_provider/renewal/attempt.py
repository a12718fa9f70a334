"""One running call, which threads and coroutines can wait for.

It has `concurrent.futures.Future`s, which threads can wait for and an event loop can
wrap. They are marked as running from the start, so that a coroutine that stops waiting
does not cancel the call for the others.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from botocore_conn_provider.renewal.failure import Failure

T = TypeVar("T")


class Attempt(Generic[T]):
    """A call with a deadline that all its waiters share.

    Args:
        deadline: On the `elapsed` clock of the runtime.

    Attributes:
        future: Its outcome. An error in it is for event loops to look at; a caller
            is raised one that is built from `failure`.
        is_launched: Whether its thread was started.
        failure: Why it failed; None while it runs and if it succeeded.
    """

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.failure: Failure | None = None
        self.future: Future[T] = _create_running()
        self._reported: Future[None] = _create_running()
        self.is_launched = False
        self._starter = threading.get_ident()
        self._runner: int | None = None
        self._claim = threading.Lock()

    def begin(self) -> bool:
        """Record that the current thread runs it; return False if another does."""
        if not self._claim.acquire(blocking=False):
            return False
        self._runner = threading.get_ident()
        return True

    @property
    def is_held_up_here(self) -> bool:
        """Whether a signal handler asks that interrupted the start of its thread.

        The start goes on only when the handler returns.
        """
        return self._starter == threading.get_ident() and not self.is_launched

    @property
    def is_running_here(self) -> bool:
        """Whether the current thread runs it, so that waiting for it would deadlock."""
        return self._runner == threading.get_ident() and not self.future.done()

    @property
    def awaited(self) -> Future[T] | Future[None]:
        """What the current thread waits for.

        Who started it also waits until its end was reported, so that a program finds
        the log records of its own call. The others do not wait for log handlers.
        """
        is_mine = self._starter == threading.get_ident()
        return self._reported if is_mine else self.future

    def succeed(self, value: T) -> None:
        """Wake the waiters with the value."""
        self.future.set_result(value)

    def fail(self, failure: Failure) -> None:
        """Wake the waiters with the failure."""
        self.failure = failure
        self.future.set_exception(failure.build())

    def close(self) -> None:
        """Record that its end was reported."""
        self._reported.set_result(None)


def _create_running() -> Future[T]:
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()
    return future
