"""One running call, which threads and coroutines can wait for.

It has `concurrent.futures.Future`s, which threads can wait for and an event loop can
wrap. They are marked as running from the start, so that a coroutine that stops waiting
does not cancel the call for the others.

Why it failed is kept as facts, and an error is built for each caller. An error object
is mutable: raising it adds the raising caller's frames, and what he was handling becomes
its context. Were one object raised to several callers, each would see the others'
frames, and the error would keep their objects alive.
"""

from __future__ import annotations

import logging
import threading
import traceback
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from botocore_conn_provider.errors import (
    ConnProviderError,
    CredentialFetchError,
    describe_error,
)
from botocore_conn_provider.redaction import shorten
from botocore_conn_provider.value import Value

T = TypeVar("T")
logger = logging.getLogger(__name__)


class Failure(Value):
    """One of our errors, taken apart: its class and its keyword arguments."""

    kind: type[ConnProviderError]
    parts: dict[str, Any]
    interrupted: bool = False
    """Whether the attempt says nothing about the source, so that a waiter asks again."""

    @classmethod
    def from_error(cls, error: BaseException, *, conn_id: str) -> Failure:
        """Return the facts of an error; a foreign one becomes one of ours."""
        if isinstance(error, ConnProviderError):
            failure = cls(type(error), dict(vars(error).get("kwargs", {})))
            if failure._is_faithful(error):
                return failure
            cause, hint = describe_error(error), ""
        else:
            _log_frames(error)
            name = shorten(type(error).__name__)
            cause = f"its source failed unexpectedly ({name}): {describe_error(error)}"
            hint = "Report it to the authors, with the log at level DEBUG."
        retryable = bool(getattr(error, "retryable", False))
        parts = {"conn_id": conn_id, "cause": cause, "hint": hint}
        return cls(CredentialFetchError, {**parts, "retryable": retryable})

    def _is_faithful(self, error: ConnProviderError) -> bool:
        """Return whether the error can be built again: a plug-in's class may differ."""
        try:
            return str(self.build()) == str(error)
        except Exception:  # noqa: BLE001 - a constructor of others
            return False

    def build(self) -> ConnProviderError:
        """Return a new error, which no one else has."""
        return self.kind(**self.parts)

    @property
    def is_transient(self) -> bool:
        """Whether the same attempt may succeed later."""
        return bool(self.parts.get("retryable"))


class RememberedFailure(Value):
    """The last failure, which answers until `ends` (on the `elapsed` clock)."""

    failure: Failure
    ends: float


INTERRUPTED = Failure(
    CredentialFetchError,
    {"conn_id": "", "cause": "the renewal was interrupted.", "retryable": True},
    interrupted=True,
)


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


def _log_frames(error: BaseException) -> None:
    """Log where a foreign error came from: lines of code, none of their values."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger.debug("Unexpected %s:\n%s", type(error).__name__, frames)
