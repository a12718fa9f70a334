"""Decide when to renew: pure functions of lifetimes, clocks and chance.

Nothing here reads a clock or draws a number by itself, so a simulated day runs
in a moment. All times are seconds: points are seconds since the epoch.

The random point keeps a fleet that started together from renewing together. It
lies in the first half of the window so that the second half is left for the
attempts that come after a failed one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import OwnSettings
    from botocore_conn_provider.exchange.sts import TemporaryCredentials

Uniform = Callable[[float, float], float]

# (lifetimes up to, advisory window): each longer one gets the last.
SHORT_LIFETIME_SECONDS, SHORT_ADVISORY_SECONDS = 20 * 60, 5 * 60
MIDDLE_LIFETIME_SECONDS, MIDDLE_ADVISORY_SECONDS = 90 * 60, 15 * 60
LONG_ADVISORY_SECONDS = 60 * 60
MANDATORY_SECONDS = 60

# A gap this small before a boundary is not worth one more attempt of its own.
SMALLEST_GAP_SECONDS = 10


class RenewalPolicy(NamedTuple):
    """Every number of the keeper, in seconds; pairs are ranges for a random choice.

    The first four are settings of a connection (`from_settings`), the others are
    fixed. None for a window means that it follows from the lifetime.
    """

    advisory_seconds: float | None = None
    mandatory_seconds: float | None = None
    static_stability_seconds: float = 0.0
    """How long past expiry an old set is served when the source is down. 0: never."""
    deadline_seconds: float = 30.0
    """How long callers wait for one attempt, with all its retries."""
    retry_after_seconds: tuple[float, float] = (300.0, 600.0)
    """When to try again after a failure while the set is valid."""
    remember_error_seconds: tuple[float, float] = (1.0, 5.0)
    """How long an error is repeated, without a new attempt, while no credentials exist."""
    first_pause_seconds: float = 0.5
    """Upper end of the first pause between retries of a transient fault."""
    longest_pause_seconds: float = 8.0
    rejection_age_seconds: float = 60.0
    """A younger set is not dropped when a service rejects it."""

    @classmethod
    def from_settings(cls, own: OwnSettings) -> RenewalPolicy:
        """Take over what the connection says."""
        return cls(
            advisory_seconds=own.advisory_seconds,
            mandatory_seconds=own.mandatory_seconds,
            static_stability_seconds=own.static_stability_seconds,
            deadline_seconds=own.sign_in_deadline_seconds,
        )


class Windows(NamedTuple):
    """How long before expiry renewal is due (advisory) and callers wait (mandatory)."""

    advisory_seconds: float
    mandatory_seconds: float


def plan_windows(lifetime_seconds: float, policy: RenewalPolicy) -> Windows:
    """Return the windows of a set that lives `lifetime_seconds`.

    Half the lifetime bounds the advisory window and a quarter the mandatory one,
    overridden or not: else a short set would be renewed without end. The advisory
    window holds the mandatory one.
    """
    mandatory = _first(policy.mandatory_seconds, MANDATORY_SECONDS)
    mandatory = min(mandatory, lifetime_seconds / 4)
    advisory = _first(policy.advisory_seconds, _usual_advisory(lifetime_seconds))
    advisory = min(advisory, lifetime_seconds / 2)
    return Windows(max(advisory, mandatory), mandatory)


def _usual_advisory(lifetime_seconds: float) -> float:
    if lifetime_seconds <= SHORT_LIFETIME_SECONDS:
        return SHORT_ADVISORY_SECONDS
    if lifetime_seconds < MIDDLE_LIFETIME_SECONDS:
        return MIDDLE_ADVISORY_SECONDS
    return LONG_ADVISORY_SECONDS


def _first(override: float | None, usual: float) -> float:
    return usual if override is None else override


def choose_renewal(
    expires_at: float, windows: Windows, *, exchange_seconds: float, uniform: Uniform
) -> float:
    """Return the point at which to renew a set, drawn at random.

    It lies in the first half of what is between the two windows, less the
    `exchange_seconds` that the last exchange took, and never before the advisory
    window.
    """
    begins = expires_at - windows.advisory_seconds
    spread = (windows.advisory_seconds - windows.mandatory_seconds) / 2
    return begins + max(0.0, uniform(0.0, spread) - exchange_seconds)


def choose_retry(
    now: float, boundary: float, *, within: tuple[float, float], uniform: Uniform
) -> float:
    """Return the point of the next attempt after a failed one.

    A random point of `within` from now, but always one more attempt before
    `boundary`: as it comes near, the gaps shrink with it, so that an outage costs
    a handful of attempts.
    """
    gap = boundary - now
    if gap < SMALLEST_GAP_SECONDS:
        return boundary
    return now + min(uniform(*within), uniform(gap / 2, gap))


class Issued(NamedTuple):
    """A set and when its issuer gave it (seconds since the epoch)."""

    credentials: TemporaryCredentials
    obtained_at: float

    @property
    def expires_at(self) -> float:
        """Seconds since the epoch."""
        return self.credentials.expires_at.timestamp()


class Found(NamedTuple):
    """How a store came by a set."""

    issued: Issued
    from_store: bool
    waited_seconds: float


class Store(Protocol):
    """One connection's place in a store that processes share."""

    def obtain(
        self, fetch: Callable[[], Issued], *, accept: Callable[[Issued], bool]
    ) -> Found:
        """Return the stored set if `accept` does, else fetch and store one."""


class Held(NamedTuple):
    """The current credentials. Points are seconds since the epoch, in rising order."""

    credentials: TemporaryCredentials
    obtained_at: float
    renew_at: float
    """From here on a renewal is due."""
    wait_at: float
    """From here on callers wait for it."""
    serve_until: float
    """From here on the set is not served."""


def hold(
    issued: Issued,
    policy: RenewalPolicy,
    *,
    exchange_seconds: float,
    uniform: Uniform,
) -> Held:
    """Plan what is due for a set that has just come in."""
    expires_at = issued.expires_at
    windows = plan_windows(expires_at - issued.obtained_at, policy)
    renew_at = choose_renewal(
        expires_at, windows, exchange_seconds=exchange_seconds, uniform=uniform
    )
    return Held(
        credentials=issued.credentials,
        obtained_at=issued.obtained_at,
        renew_at=renew_at,
        wait_at=expires_at - windows.mandatory_seconds,
        serve_until=expires_at,
    )


def hold_after_failure(
    held: Held, now: float, policy: RenewalPolicy, *, transient: bool, uniform: Uniform
) -> Held | None:
    """Plan what is due after a renewal failed; None when nothing is left to serve.

    A valid set is kept whatever the fault. An expired one is kept only under
    static stability and only for a transient fault: a source that says no has
    taken the identity away.
    """
    expires_at = held.credentials.expires_at.timestamp()
    if now >= expires_at:
        end = expires_at + (policy.static_stability_seconds if transient else 0)
        if now >= end:
            return None
        held = held._replace(wait_at=end, serve_until=end)
    boundary = held.wait_at if now < held.wait_at else held.serve_until
    retry_at = choose_retry(
        now, boundary, within=policy.retry_after_seconds, uniform=uniform
    )
    return held._replace(renew_at=retry_at)
