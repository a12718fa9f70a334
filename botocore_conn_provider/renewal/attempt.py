"""One running renewal, which threads and coroutines can wait for.

It has a `concurrent.futures.Future`, which threads can wait for and an event loop can
wrap. The future is marked as running from the start, so that a coroutine that stops
waiting does not cancel the renewal for the others.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError

from botocore_conn_provider.exchange.sts import TemporaryCredentials

Renewal = Future[TemporaryCredentials]


class InterruptedRenewalError(Exception):
    """The thread that ran the renewal was interrupted; the waiters start again."""


class Attempt:
    """A renewal with a deadline that all its waiters share.

    Args:
        deadline: On the `elapsed` clock of the runtime.
    """

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.future: Renewal = Future()
        self.future.set_running_or_notify_cancel()
        self._runner: int | None = None

    @classmethod
    def ended(cls, credentials: TemporaryCredentials) -> Attempt:
        """Return an attempt that has already ended with `credentials`."""
        attempt = cls(deadline=0.0)
        attempt.future.set_result(credentials)
        return attempt

    def begin(self) -> None:
        """Record that the current thread runs it."""
        self._runner = threading.get_ident()

    @property
    def is_running_here(self) -> bool:
        """Whether the current thread runs it, so that waiting for it would deadlock."""
        return self._runner == threading.get_ident() and not self.future.done()

    def wait(self, seconds: float) -> BaseException | None:
        """Block until it ends; return its error, or None if it succeeded.

        Raises:
            TimeoutError: It did not end in time.
        """
        try:
            return self.future.exception(max(0.0, seconds))
        except FutureTimeoutError:  # from Python 3.11 on, the same as TimeoutError
            raise TimeoutError from None
