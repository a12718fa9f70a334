"""The state of a keeper and all changes to it: its credentials, the one attempt.

Thread safety: `held` is an immutable value that is replaced as a whole, and is read
without a lock. `_lock` guards every write, and is never held while anything is fetched,
waited for or announced. At most one attempt runs: the thread that sets `_attempt` runs
it. A forked child gets a new lock and no attempt, and keeps the credentials.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from botocore_conn_provider.fork import reset_in_children
from botocore_conn_provider.renewal.attempt import Attempt, InterruptedRenewalError
from botocore_conn_provider.renewal.schedule import (
    Held,
    Issued,
    RenewalPolicy,
    hold,
    hold_after_failure,
    plan_windows,
)
from botocore_conn_provider.renewal.source import is_transient
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from botocore_conn_provider.exchange.sts import TemporaryCredentials
    from botocore_conn_provider.renewal.runtime import Runtime
    from botocore_conn_provider.renewal.telemetry import Telemetry

# Enough for every request that can still be under way with old credentials.
REMEMBERED_SETS = 8


class RememberedFailure(Value):
    """The last error, which is raised again until `ends` (on the `elapsed` clock)."""

    error: Exception
    ends: float


class KeeperState:
    """What one keeper holds. No method does any I/O or waits for a renewal."""

    def __init__(
        self, policy: RenewalPolicy, runtime: Runtime, telemetry: Telemetry
    ) -> None:
        self.held: Held | None = None
        self._policy = policy
        self._runtime = runtime
        self._telemetry = telemetry
        self._lock = threading.Lock()
        self._attempt: Attempt | None = None
        self._failure: RememberedFailure | None = None
        self._former_ids: deque[str] = deque(maxlen=REMEMBERED_SETS)
        reset_in_children(self)

    @property
    def running(self) -> Attempt | None:
        """The running attempt; None if there is none."""
        return self._attempt

    def find_servable(self) -> TemporaryCredentials | None:
        """Return the current credentials; None if there are none that may be served."""
        held = self.held
        if held is None or self._runtime.now() >= held.serve_until:
            return None
        return held.credentials

    def join(self) -> tuple[Attempt, bool]:
        """Return the running attempt, and whether the caller must run it: it is new.

        If the credentials have been renewed meanwhile, return an attempt that has
        ended.

        Raises:
            Exception: The last attempt's error, while it is remembered and there are
                no credentials to serve.
        """
        with self._lock:
            held = self.held
            if held is not None and self._runtime.now() < held.renew_at:
                return Attempt.ended(held.credentials), False
            if self._attempt is not None:
                return self._attempt, False
            self._raise_remembered()
            deadline = self._runtime.elapsed() + self._policy.deadline_seconds
            self._attempt = Attempt(deadline)
            return self._attempt, True

    def _raise_remembered(self) -> None:
        failure = self._failure
        if failure is None or self.find_servable() is not None:
            return
        if self._runtime.elapsed() < failure.ends:
            raise failure.error.with_traceback(None)

    def publish(self, attempt: Attempt, issued: Issued, *, took_seconds: float) -> None:
        """Store new credentials and wake the waiters.

        A late answer from an abandoned attempt is kept only if it expires later than
        the current credentials.
        """
        held = hold(
            issued,
            self._policy,
            exchange_seconds=took_seconds,
            uniform=self._runtime.uniform,
        )
        with self._lock:
            former, on_time = self.held, self._attempt is attempt
            if not on_time and former and former.serve_until >= issued.expires_at:
                return
            if on_time:
                self._attempt = None
            if former is not None:
                self._former_ids.append(former.credentials.access_key_id)
            self.held, self._failure = held, None
        if on_time:
            attempt.future.set_result(held.credentials)
        # Afterwards: a log handler may wait for somebody who waits for the attempt.
        self._telemetry.succeeded(held, took_seconds=took_seconds)

    def fail(self, attempt: Attempt, error: Exception) -> None:
        """End `attempt`, remember its error, and keep credentials that may be served.

        Does nothing for an attempt that has ended or been abandoned.
        """
        # The frames of a traceback refer to keys and assertions, which must not be kept
        # after the exchange.
        error = error.with_traceback(None)
        with self._lock:
            if self._attempt is not attempt:
                return
            self._attempt = None
            self._failure = self._remember(error)
            held = self.held
            if held is not None and not isinstance(error, InterruptedRenewalError):
                held = self.held = self._keep_after(error, held)
        attempt.future.set_exception(error)
        self._telemetry.failed(held, error)

    def _remember(self, error: Exception) -> RememberedFailure | None:
        if isinstance(error, InterruptedRenewalError):
            return None
        seconds = self._runtime.uniform(*self._policy.remember_error_seconds)
        return RememberedFailure(error, self._runtime.elapsed() + seconds)

    def _keep_after(self, error: Exception, held: Held) -> Held | None:
        return hold_after_failure(
            held,
            self._runtime.now(),
            self._policy,
            transient=is_transient(error),
            uniform=self._runtime.uniform,
        )

    def is_news(self, issued: Issued) -> bool:
        """Return whether stored credentials are better than the current ones.

        They must not be in their mandatory window, must not have been held before, and
        must expire later than the current ones.
        """
        now, expires_at = self._runtime.now(), issued.expires_at
        windows = plan_windows(expires_at - issued.obtained_at, self._policy)
        if expires_at - now <= windows.mandatory_seconds:
            return False
        if issued.credentials.access_key_id in self._former_ids:
            return False
        held = self.held
        return held is None or expires_at > held.credentials.expires_at.timestamp()

    def reject(self, access_key_id: str) -> bool:
        """Drop the credentials with that id; return whether others can be used.

        A late rejection of former credentials drops nothing. Young credentials are
        kept, and so are those that were dropped before and issued again.
        """
        with self._lock:
            held = self.held
            if held is None or held.credentials.access_key_id != access_key_id:
                return access_key_id in self._former_ids
            age = self._runtime.now() - held.obtained_at
            before = access_key_id in self._former_ids
            if before or age < self._policy.rejection_age_seconds:
                return False
            self._former_ids.append(access_key_id)
            self.held = None
        self._telemetry.rejected(held)
        return True

    def reset_after_fork(self) -> None:
        """Reset state in a forked child: new lock, no attempt, its own random point.

        A back-off after a failure stays, because the child has the same source.
        """
        self._lock = threading.Lock()
        self._attempt = None
        held = self.held
        if held is not None and self._failure is None:
            self.held = hold(
                Issued(held.credentials, held.obtained_at),
                self._policy,
                exchange_seconds=0.0,
                uniform=self._runtime.uniform,
            )
