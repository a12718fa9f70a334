"""Decide when to renew: pure functions of lifetimes, clocks and chance.

Nothing here reads a clock or draws a number by itself, so a simulated day runs
in a moment. All times are seconds: points are seconds since the epoch.

The random point keeps a fleet that started together from renewing together. It
lies in the first half of the window so that the second half is left for the
attempts that come after a failed one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import OwnSettings

Uniform = Callable[[float, float], float]

# (lifetimes up to, advisory window): each longer one gets the last.
SHORT_LIFETIME_SECONDS, SHORT_ADVISORY_SECONDS = 20 * 60, 5 * 60
MIDDLE_LIFETIME_SECONDS, MIDDLE_ADVISORY_SECONDS = 90 * 60, 15 * 60
LONG_ADVISORY_SECONDS = 60 * 60
MANDATORY_SECONDS = 60

# A gap this small before a boundary is not worth one more attempt of its own.
SMALLEST_GAP_SECONDS = 10


class RenewalPolicy(NamedTuple):
    """Every number of the keeper. Seconds throughout; pairs are ranges of chance.

    None for a window means that it follows from the lifetime.
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
    """How long an error answers callers with nothing in hand, unasked."""
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
