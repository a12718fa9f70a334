"""Make one call at a time in the background, for any number of callers.

No caller runs the call in his own thread. So his deadline holds whatever the call
waits for, and an exception that a signal raises in his thread is his alone. Only where
no thread can be started (the interpreter is ending) the first caller runs it.

Thread safety: `lock` guards the running attempt, the remembered failure and the owner's
state. It is never held while anything is called, waited for or reported. It is
re-entrant, because a signal handler may ask for credentials while its thread holds the
lock: the worst that comes of it is a second call. A forked child gets a new lock and no
attempt.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

from botocore_conn_provider.errors import ConnProviderError, CredentialFetchError
from botocore_conn_provider.fork import reset_in_children
from botocore_conn_provider.renewal.attempt import (
    INTERRUPTED,
    Attempt,
    Failure,
    RememberedFailure,
)
from botocore_conn_provider.renewal.runtime import NoThreadError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from botocore_conn_provider.renewal.runtime import Runtime
    from botocore_conn_provider.renewal.schedule import RenewalPolicy

    T_contra = TypeVar("T_contra", contravariant=True)

    # For the type checker alone: defining a protocol delays each start.
    class Owner(Protocol[T_contra]):
        """Who keeps what the call returns, and its last failure.

        Every method is called under the lock. `accept` and `lament` return what is to be
        done once the lock is free: the report.
        """

        failure: RememberedFailure | None

        def is_due(self) -> bool:
            """Return whether the call is to be made now."""

        def find_delay(self) -> float:
            """Return for how long the call is put off, beyond its deadline."""

        def has_fallback(self) -> bool:
            """Return whether callers can be served although the call fails."""

        def accept(self, value: T_contra, *, on_time: bool) -> Callable[[], None]:
            """Take the value. One of an attempt that was given up comes late."""

        def lament(self, failure: Failure) -> Callable[[], None]:
            """Take note that the call failed."""


T = TypeVar("T")


class SharedCall(Generic[T]):
    """A call that all its callers share.

    Args:
        call: Blocks as it likes; is given the deadline on the `elapsed` clock.
        owner: Who keeps its value.
        conn_id: For errors.
        policy: The deadline, and how long a failure is remembered.
        runtime: Clocks, random numbers, threads.
    """

    def __init__(
        self,
        call: Callable[[float], T],
        *,
        owner: Owner[T],
        conn_id: str,
        policy: RenewalPolicy,
        runtime: Runtime,
    ) -> None:
        self.lock = threading.RLock()
        self._call = call
        self._owner = owner
        self._conn_id = conn_id
        self._policy = policy
        self._runtime = runtime
        self._running: Attempt[T] | None = None
        reset_in_children(self)

    def end_patience(self) -> float:
        """Return the moment until which a caller who comes now may wait."""
        delay = self._owner.find_delay()
        return self._runtime.elapsed() + delay + self._policy.deadline_seconds

    def join(self, until: float | None = None) -> Attempt[T] | None:
        """Return the running attempt, begun if it is due; None if it is not.

        Args:
            until: When the patience of the caller ends who has nothing else. An attempt
                that he begins ends then too, so that he is told what it waited for.

        Raises:
            ConnProviderError: The last attempt has just failed, and the owner has
                nothing to serve instead.
        """
        self._give_up_overdue()
        begun: Attempt[T] | None = None
        try:
            with self.lock:
                if not self._owner.is_due():
                    return None
                running = self._running
                if running is None:
                    self._raise_remembered()
                    ends_at = self.end_patience() if until is None else until
                    begun = running = Attempt(ends_at)
                    self._running = begun
            if running.is_held_up_here:
                self._launch(running, apart=begun is not None)
        except BaseException:
            # Of a signal, before the call ran: the others do not wait for nothing.
            if begun is not None:
                self._fail(begun, INTERRUPTED)
            raise
        return running

    def wait(
        self, attempt: Attempt[T], until: float, *, pauses_at: float | None = None
    ) -> Failure | None:
        """Block until the attempt ends; return why it failed, None if it succeeded.

        A caller who has waited until `until` is told that the call is overdue. At
        `pauses_at` he is sent back to ask again.
        """
        if attempt.is_running_here:
            return self._describe_loop()
        until = min(until, attempt.deadline)
        wakes_at = until if pauses_at is None else min(until, pauses_at)
        self._runtime.wait(attempt.awaited, wakes_at - self._runtime.elapsed())
        if attempt.future.done():
            return attempt.failure
        if wakes_at < until:
            return INTERRUPTED
        self._give_up_overdue()
        return self.overdue()

    def overdue(self) -> Failure:
        """Return the failure of a call that did not end in time."""
        return self._describe(
            "the source of the credentials did not answer within the deadline.",
            "Check the network to the IdP and to STS, or raise"
            " sign_in_deadline_seconds.",
        )

    def _describe_loop(self) -> Failure:
        return self._describe(
            "its base credentials come from the connection itself.",
            "Give it keys, a profile or a base identity of its own.",
            retryable=False,
        )

    def _describe(self, cause: str, hint: str, *, retryable: bool = True) -> Failure:
        parts = {"conn_id": self._conn_id, "cause": cause, "hint": hint}
        return Failure(CredentialFetchError, {**parts, "retryable": retryable})

    def _raise_remembered(self) -> None:
        known = self._owner.failure
        if known is None or self._owner.has_fallback():
            return
        if self._runtime.elapsed() < known.ends:
            raise known.failure.build()

    def _give_up_overdue(self) -> None:
        """Abandon an attempt that is past its deadline, so that another can start."""
        running = self._running
        if running is not None and self._runtime.elapsed() >= running.deadline:
            self._fail(running, self.overdue())

    def _launch(self, attempt: Attempt[T], *, apart: bool) -> None:
        """Start its thread; run it here if there can be none, or none in time."""
        try:
            if apart:
                self._runtime.start_thread(lambda: self._run_apart(attempt))
                attempt.is_launched = True
                return
        except NoThreadError:
            attempt.is_launched = True
        self._run(attempt)

    def _run_apart(self, attempt: Attempt[T]) -> None:
        """Run it in a thread of its own, where no one is there to see an error."""
        try:
            self._run(attempt)
        except BaseException as error:  # noqa: BLE001 - handed to the callers
            self._fail(attempt, Failure.from_error(error, conn_id=self._conn_id))

    def _run(self, attempt: Attempt[T]) -> None:
        """Run it. What is no error of ours passes: it may be a signal's, or a bug."""
        if not attempt.begin():
            return
        try:
            value = self._call(attempt.deadline)
        except ConnProviderError as error:
            self._fail(attempt, Failure.from_error(error, conn_id=self._conn_id))
        else:
            self._succeed(attempt, value)

    def _succeed(self, attempt: Attempt[T], value: T) -> None:
        with self.lock:
            on_time = self._running is attempt
            if on_time:
                self._running = None
            report = self._owner.accept(value, on_time=on_time)
            self._owner.failure = None
        if on_time:
            attempt.succeed(value)
        self._report(attempt, report, closes=on_time)

    def _fail(self, attempt: Attempt[T], failure: Failure) -> None:
        """End the attempt; does nothing if it has ended or was given up."""
        with self.lock:
            if self._running is not attempt:
                return
            self._running = None
            self._owner.failure = self._remember(failure)
            report = self._owner.lament(failure)
        attempt.fail(failure)
        self._report(attempt, report, closes=True)

    def _report(
        self, attempt: Attempt[T], report: Callable[[], None], *, closes: bool
    ) -> None:
        with contextlib.ExitStack() as end:
            if closes:
                end.callback(attempt.close)
            report()

    def _remember(self, failure: Failure) -> RememberedFailure | None:
        if failure.interrupted:
            return self._owner.failure
        seconds = self._runtime.uniform(*self._policy.remember_error_seconds)
        return RememberedFailure(failure, self._runtime.elapsed() + seconds)

    def reset_after_fork(self) -> None:
        """Get a new lock and forget the attempt, whose thread is the parent's."""
        self.lock = threading.RLock()
        self._running = None
