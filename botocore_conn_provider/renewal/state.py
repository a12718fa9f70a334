"""The credentials of a keeper, all changes to them, and what is reported of these.

Thread safety: `held` is an immutable value that is replaced as a whole, and is read
without a lock. Every change is made under the lock of the keeper's `SharedCall`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.events import Event, Kind, describe
from botocore_conn_provider.renewal.schedule import (
    Held,
    Issued,
    RenewalPolicy,
    hold,
    hold_after_failure,
    plan_windows,
)
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore_conn_provider.exchange.flow import TemporaryCredentials
    from botocore_conn_provider.renewal.attempt import Failure, RememberedFailure
    from botocore_conn_provider.renewal.runtime import Runtime
    from botocore_conn_provider.renewal.schedule import Found

# Enough for every request that can still be under way with old credentials.
REMEMBERED_SETS = 8
# What a connection's events have last said.
WELL, FAILING, STALE = range(3)


class Renewed(Value):
    """What a renewal brought."""

    issued: Issued
    took_seconds: float


class KeeperState:
    """What one keeper holds: the `Owner` of its renewals.

    It refers to nothing of a session, so it may outlive the keeper: see the registry.
    Each attribute is replaced as a whole, so a shallow copy is a state of its own.
    No method does any I/O or waits for a renewal.
    """

    def __init__(
        self, policy: RenewalPolicy, runtime: Runtime, telemetry: Telemetry
    ) -> None:
        self.held: Held | None = None
        self.failure: RememberedFailure | None = None
        self._policy = policy
        self._runtime = runtime
        self.telemetry = telemetry
        self._former_ids: tuple[str, ...] = ()
        self._starts_at: float | None = None

    def is_worthless(self) -> bool:
        """Return whether nothing here can serve anyone any more."""
        now, held, failure = self._runtime.elapsed(), self.held, self.failure
        if failure is not None and now < failure.ends:
            return False
        return held is None or now >= max(
            held.serve_until, held.ends_at + self._policy.static_stability_seconds
        )

    def find_servable(self) -> TemporaryCredentials | None:
        """Return the current credentials; None if there are none that may be served."""
        held = self.held
        if held is None or self._runtime.elapsed() >= held.serve_until:
            return None
        return held.credentials

    def is_due(self) -> bool:
        """Return whether a renewal is due."""
        held = self.held
        return held is None or self._runtime.elapsed() >= held.renew_at

    def begin(self) -> float:
        """Return when the first exchange is due, from the first need on.

        It is put off once: what is asked for later is long past that moment.
        """
        if self._starts_at is None:
            delay = self._policy.start_delay_seconds
            self._starts_at = self._runtime.elapsed() + delay
        return self._starts_at

    def find_delay(self) -> float:
        """Return the seconds until the first exchange is due."""
        if self._starts_at is None:
            return self._policy.start_delay_seconds
        return max(0.0, self._starts_at - self._runtime.elapsed())

    def has_fallback(self) -> bool:
        """Return whether there are credentials to serve."""
        return self.find_servable() is not None

    def accept(self, value: Renewed, *, on_time: bool) -> Callable[[], None]:
        """Hold new credentials; late ones only if they outlast the current ones."""
        issued, took_seconds = value
        former = self.held
        if not on_time and former and former.serve_until >= issued.ends_at:
            return _report_nothing
        if former is not None:
            self._note_former(former.credentials.access_key_id)
        held = self.held = self._hold(issued, exchange_seconds=took_seconds)
        return lambda: self.telemetry.succeeded(held, took_seconds=took_seconds)

    def lament(self, failure: Failure) -> Callable[[], None]:
        """Keep the credentials that may be served after that failure."""
        if failure.interrupted:
            return _report_nothing
        held = self.held
        if held is not None:
            held = self.held = hold_after_failure(
                held,
                self._runtime.elapsed(),
                self._policy,
                transient=failure.is_transient,
                uniform=self._runtime.uniform,
            )
        return lambda: self.telemetry.failed(held, failure.build())

    def is_news(self, issued: Issued) -> bool:
        """Return whether stored credentials are better than the current ones.

        They must not be in their mandatory window, must not have been held before, and
        must expire later than the current ones.
        """
        windows = plan_windows(issued.lifetime_seconds, self._policy)
        if issued.ends_at - self._runtime.elapsed() <= windows.mandatory_seconds:
            return False
        if issued.credentials.access_key_id in self._former_ids:
            return False
        held = self.held
        return held is None or issued.ends_at > held.ends_at

    def reject(self, access_key_id: str) -> tuple[bool, Held | None]:
        """Drop the credentials with that id; return whether others can be used.

        A late rejection of former credentials drops nothing. Young credentials are
        kept, and so are those that were dropped before and issued again. The second
        value is what was dropped.
        """
        held = self.held
        if held is None or held.credentials.access_key_id != access_key_id:
            return access_key_id in self._former_ids, None
        age = self._runtime.elapsed() - held.obtained_at
        before = access_key_id in self._former_ids
        if before or age < self._policy.rejection_age_seconds:
            return False, None
        self._note_former(access_key_id)
        self.held = None
        return True, held

    def bring_forward(
        self, within_seconds: float, *, least_age_seconds: float | None = None
    ) -> None:
        """Make a renewal due now where less than that is left; a back-off stays.

        Not of credentials younger than that (half of their lifetime, if it is not said),
        or short ones would be renewed at each ask.
        """
        held, now = self.held, self._runtime.elapsed()
        if held is None or self.failure is not None:
            return
        least_age = least_age_seconds
        if least_age is None:
            least_age = held.issued.lifetime_seconds / 2
        is_short = held.ends_at - now < within_seconds
        if is_short and now - held.obtained_at > least_age and now < held.renew_at:
            self.held = held._replace(renew_at=now)

    def _note_former(self, access_key_id: str) -> None:
        self._former_ids = (*self._former_ids, access_key_id)[-REMEMBERED_SETS:]

    def plan_again(self) -> None:
        """Choose another random point for the renewal; a back-off stays."""
        if self.held is not None and self.failure is None:
            self.held = self._hold(self.held.issued, exchange_seconds=0.0)

    def _hold(self, issued: Issued, *, exchange_seconds: float) -> Held:
        return hold(
            issued,
            self._policy,
            exchange_seconds=exchange_seconds,
            uniform=self._runtime.uniform,
        )


def _report_nothing() -> None:
    """Report nothing: no one's credentials have changed."""


class Telemetry:
    """One connection's events, with one warning per change of state.

    An outage may last for hours, and a process may renew many connections, so only the
    change to a worse state is a WARNING, not each failed attempt.

    Thread safety: there is no lock. Only the running renewal writes the state, and a
    lost update would at most change the level of one log record.
    """

    def __init__(self, conn_id: str, runtime: Runtime) -> None:
        self._conn_id = conn_id
        self._runtime = runtime
        self._state = WELL

    def started(self, held: Held | None) -> None:
        """Report that a renewal starts."""
        self._announce("renewal_started", held)

    def succeeded(self, held: Held, *, took_seconds: float) -> None:
        """Report that a renewal brought `held`."""
        self._state = WELL
        self._announce("renewal_succeeded", held, took_seconds=took_seconds)

    def failed(self, held: Held | None, error: BaseException) -> None:
        """Report that a renewal failed, and whether expired credentials are served.

        Without credentials the caller gets the error, so it is not also a warning.
        """
        stale = held is not None and self._seconds_left(held) <= 0
        worse = held is not None and self._state < FAILING
        self._state = max(self._state, FAILING)
        text = describe(error)
        self._announce("renewal_failed", held, error=text, degraded=worse)
        if stale:
            worse, self._state = self._state < STALE, STALE
            self._announce("served_stale", held, error=text, degraded=worse)

    def rejected(self, held: Held) -> None:
        """Report that a service rejected `held`."""
        self._announce("rejected", held)

    def found(self, found: Found, held: Held | None) -> None:
        """Report how the machine's store took part in a renewal."""
        if found.waited_seconds:
            self._announce("lock_wait", held, took_seconds=found.waited_seconds)
        if found.from_store:
            self._announce("store_hit", held)

    def _seconds_left(self, held: Held) -> float:
        return held.ends_at - self._runtime.elapsed()

    def _announce(
        self,
        kind: Kind,
        held: Held | None,
        *,
        took_seconds: float | None = None,
        error: str | None = None,
        degraded: bool = False,
    ) -> None:
        left = None if held is None else self._seconds_left(held)
        self._runtime.announce(
            Event(kind, self._conn_id, left, took_seconds, error, degraded)
        )
