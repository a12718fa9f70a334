"""Decide when to renew: pure functions of lifetimes, times and random numbers.

Nothing here reads a clock or draws a random number by itself, so tests can simulate a
day in a moment. All times are in seconds; points in time are on the `elapsed` clock of
the runtime, which nobody sets.

The random point prevents processes that started together from renewing together. It is
in the first half of the window, so that the second half is left for further attempts
after a failed one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import OwnSettings
    from botocore_conn_provider.exchange.flow import TemporaryCredentials

Uniform = Callable[[float, float], float]

# (lifetimes up to, advisory window); all longer lifetimes get the last window.
SHORT_LIFETIME_SECONDS, SHORT_ADVISORY_SECONDS = 20 * 60, 5 * 60
MIDDLE_LIFETIME_SECONDS, MIDDLE_ADVISORY_SECONDS = 90 * 60, 15 * 60
LONG_ADVISORY_SECONDS = 60 * 60
MANDATORY_SECONDS = 60

# If less time than this is left before a boundary, the next attempt is at the boundary.
SMALLEST_GAP_SECONDS = 10
# Who waits while the credentials are still valid goes on with them after this part of
# the time that they have left: so he never outlives them, and has time to use them.
PATIENCE = 0.5


class RenewalPolicy(Value):
    """The keeper's numbers, in seconds; a pair is the range of a random number.

    The first four are settings of a connection (`from_settings`), the others are
    fixed. None for a window means that it follows from the lifetime.
    """

    advisory_seconds: float | None = None
    mandatory_seconds: float | None = None
    static_stability_seconds: float = 0.0
    """How long past expiry credentials are served during an outage. 0: never."""
    deadline_seconds: float = 30.0
    """How long callers wait for one attempt, with all its retries."""
    retry_after_seconds: tuple[float, float] = (300.0, 600.0)
    """When to try again after a failure while the credentials are valid."""
    remember_error_seconds: tuple[float, float] = (1.0, 5.0)
    """How long an error is repeated, without a new attempt, while none are held."""
    first_pause_seconds: float = 1.0
    """Upper end of the first pause between retries of a transient fault."""
    longest_pause_seconds: float = 16.0
    start_delay_seconds: float = 0.0
    """By how much the first exchange is put off, on this machine."""
    rejection_age_seconds: float = 60.0
    """Younger credentials are not dropped when a service rejects them."""

    @classmethod
    def from_settings(cls, own: OwnSettings) -> RenewalPolicy:
        """Return the policy that a connection's settings ask for."""
        return cls(
            advisory_seconds=own.advisory_seconds,
            mandatory_seconds=own.mandatory_seconds,
            static_stability_seconds=own.static_stability_seconds,
            deadline_seconds=own.sign_in_deadline_seconds,
        )


class Windows(Value):
    """How long before expiry renewal is due (advisory) and callers wait (mandatory)."""

    advisory_seconds: float
    mandatory_seconds: float


def plan_windows(lifetime_seconds: float, policy: RenewalPolicy) -> Windows:
    """Return the windows of credentials with a lifetime of `lifetime_seconds`.

    The advisory window is at most half the lifetime and the mandatory one at most a
    quarter, even if they are overridden; otherwise credentials with a short lifetime
    would be renewed all the time. The advisory window includes the mandatory one.
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
    ends_at: float, windows: Windows, *, exchange_seconds: float, uniform: Uniform
) -> float:
    """Return a random point at which to renew credentials.

    It is in the first half of the time between the starts of the two windows, less the
    `exchange_seconds` that the last exchange took, and never before the advisory
    window.
    """
    begins = ends_at - windows.advisory_seconds
    spread = (windows.advisory_seconds - windows.mandatory_seconds) / 2
    return begins + max(0.0, uniform(0.0, spread) - exchange_seconds)


def choose_retry(
    now: float, boundary: float, *, within: tuple[float, float], uniform: Uniform
) -> float:
    """Return the point of the next attempt after a failed one.

    It is `within` a random number of seconds from now, but there is always one more
    attempt before `boundary`. The gaps shrink as the boundary comes near, so that an
    outage costs a handful of attempts.
    """
    gap = boundary - now
    if gap < SMALLEST_GAP_SECONDS:
        return boundary
    return now + min(uniform(*within), uniform(gap / 2, gap))


class Issued(Value):
    """Credentials, and their life on the `elapsed` clock.

    What the credentials themselves say of their end is the server's time.
    """

    credentials: TemporaryCredentials
    obtained_at: float
    ends_at: float

    @property
    def lifetime_seconds(self) -> float:
        """How long they were good for when they were issued."""
        return self.ends_at - self.obtained_at


class Found(Value):
    """Credentials, and how a store got them."""

    issued: Issued
    from_store: bool
    waited_seconds: float


class Held(Value):
    """The current credentials, and when what is due (on the `elapsed` clock)."""

    credentials: TemporaryCredentials
    obtained_at: float
    ends_at: float
    """From then on they are expired."""
    renew_at: float
    """From then on a renewal is due."""
    wait_at: float
    """From then on callers wait for it."""
    serve_until: float
    """From then on the credentials are not served."""

    @property
    def issued(self) -> Issued:
        """The credentials as they were issued."""
        return Issued(self.credentials, self.obtained_at, self.ends_at)


def hold(
    issued: Issued,
    policy: RenewalPolicy,
    *,
    exchange_seconds: float,
    uniform: Uniform,
) -> Held:
    """Plan when renewal is due for credentials that were just obtained."""
    windows = plan_windows(issued.lifetime_seconds, policy)
    renew_at = choose_renewal(
        issued.ends_at, windows, exchange_seconds=exchange_seconds, uniform=uniform
    )
    return Held(
        *issued,
        renew_at=renew_at,
        wait_at=issued.ends_at - windows.mandatory_seconds,
        serve_until=issued.ends_at,
    )


def hold_after_failure(
    held: Held, now: float, policy: RenewalPolicy, *, transient: bool, uniform: Uniform
) -> Held | None:
    """Plan when renewal is due after one failed; None if nothing can be served.

    Valid credentials are kept after any fault. Expired ones are kept only under static
    stability and only after a transient fault, because a refusal by the source means
    that the identity has been withdrawn.
    """
    if now >= held.ends_at:
        end = held.ends_at + (policy.static_stability_seconds if transient else 0)
        if now >= end:
            return None
        held = held._replace(wait_at=end, serve_until=end)
    boundary = held.wait_at if now < held.wait_at else held.serve_until
    retry_at = choose_retry(
        now, boundary, within=policy.retry_after_seconds, uniform=uniform
    )
    return held._replace(renew_at=retry_at)


class Patience(Value):
    """How long one caller waits (on the `elapsed` clock)."""

    leaves_at: float
    """From then on he goes on with the credentials that are still valid."""
    ends_at: float
    """Without credentials, he is told then that the source did not answer."""


def plan_wait(
    held: Held | None, now: float, *, ends_at: float, before: Patience | None
) -> Patience:
    """Return how long a caller waits: never to the end of credentials that serve him.

    Args:
        held: The current credentials.
        now: This moment.
        ends_at: When the patience ends of a caller who has just come.
        before: What was planned for him when he came, or before he waited again.
    """
    planned = Patience(ends_at, ends_at) if before is None else before
    if held is None or now >= held.serve_until:
        return planned
    leaves_at = now + (held.serve_until - now) * PATIENCE
    return planned._replace(leaves_at=min(planned.leaves_at, leaves_at))
