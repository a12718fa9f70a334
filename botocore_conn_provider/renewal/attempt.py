"""One renewal under way, and everything that waits for it.

A `concurrent.futures.Future` underneath, so that threads wait on it and an event
loop can wrap it. It is marked as running from the start: a coroutine that gives
up waiting must not cancel what others wait for.
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
        """Return an attempt that has already brought `credentials`."""
        attempt = cls(deadline=0.0)
        attempt.future.set_result(credentials)
        return attempt

    def begin(self) -> None:
        """Note that this thread runs it."""
        self._runner = threading.get_ident()

    @property
    def is_running_here(self) -> bool:
        """Whether this very thread runs it: then waiting would never end."""
        return self._runner == threading.get_ident() and not self.future.done()

    def wait(self, seconds: float) -> BaseException | None:
        """Block for the end; return the error it ended with.

        Raises:
            TimeoutError: It did not end in time.
        """
        try:
            return self.future.exception(max(0.0, seconds))
        except FutureTimeoutError:  # the builtin from Python 3.11 on
            raise TimeoutError from None
