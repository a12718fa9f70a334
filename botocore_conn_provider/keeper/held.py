"""A set of credentials in hand, with the points at which something is due.

Immutable: the keeper replaces the whole, so a reader without a lock sees one
state or the next and nothing between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from botocore_conn_provider.keeper.windows import (
    RenewalPolicy,
    Uniform,
    choose_renewal,
    choose_retry,
    plan_windows,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore_conn_provider.exchange import TemporaryCredentials


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
    """The set in hand. Points are seconds since the epoch, in rising order."""

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
