"""What an endpoint hands out: a connection's current credentials, from memory.

Clients keep what they are handed until it is nearly over, and botocore asks at each
request inside the last 15 minutes. So credentials are renewed earlier here than for
our own sessions, by the same keeper.

Thread safety: everything is the keeper's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.renewal.keeper import Keeper
from botocore_conn_provider.renewal.runtime import Runtime
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Any, Protocol

    from botocore_conn_provider.exchange.flow import TemporaryCredentials
    from botocore_conn_provider.renewal.deferred_keeper import DeferredKeeper
    from botocore_conn_provider.renewal.schedule import Held, Patience

    # For the type checker alone: defining a protocol delays each start.
    class Supply(Protocol):
        """Where an endpoint takes its answers from. No method blocks."""

        def take(self, before: Awaited | None = None) -> Handed | Awaited:
            """Return credentials, or what to wait for before asking again with it.

            Raises:
                ConnProviderError: There are none.
            """

        def find_seconds_left(self) -> float | None:
            """Return how long what is in memory is good for; None if nothing is."""


# With less than this left a renewal begins, with less than that a client waits for it a
# little; of a short lifetime these parts at most.
RENEW_SECONDS, RENEW_PART = 25 * 60, 1 / 2
ENOUGH_SECONDS, ENOUGH_PART = 20 * 60, 1 / 3
# The JavaScript SDK gives up after one second.
SHORT_WAIT_SECONDS = 0.7
# What is said of keys whose end nobody knows. Clients ask again before.
UNKNOWN_LIFETIME_SECONDS = 3600.0


class Handed(Value):
    """Credentials as they are handed out, and how long they are good for."""

    credentials: TemporaryCredentials
    seconds_left: float


class Awaited(Value):
    """What a client has to wait for, and until when at most (`elapsed` clock).

    `patience` is of a client for whom there is nothing yet.
    """

    renewal: Future[Any]
    until: float
    patience: Patience | None = None


class FixedSupply:
    """Temporary keys that stand in the connection or a file. Nobody renews them."""

    def __init__(self, credentials: TemporaryCredentials) -> None:
        self._credentials = credentials

    def take(self, before: Awaited | None = None) -> Handed:  # noqa: ARG002 - of the protocol
        """Return the keys."""
        return Handed(self._credentials, UNKNOWN_LIFETIME_SECONDS)

    def find_seconds_left(self) -> float:
        """Return what is said of their lifetime."""
        return UNKNOWN_LIFETIME_SECONDS


class KeptSupply:
    """Credentials that a keeper renews.

    Args:
        keeper: Of the connection.
        runtime: The keeper's clocks.
    """

    def __init__(
        self,
        keeper: Keeper | DeferredKeeper,
        runtime: Runtime = Runtime(),  # noqa: B008 - immutable
    ) -> None:
        self._keeper = keeper
        self._elapsed = runtime.elapsed

    def take(self, before: Awaited | None = None) -> Handed | Awaited:
        """Return what is in memory while it is valid, and renew it early.

        Without any, the client waits for the running exchange, as callers of our own
        sessions do.

        Raises:
            ConnProviderError: There are none.
        """
        keeper = self._keeper = self._keeper.settled
        if isinstance(keeper, Keeper):
            held = keeper.find_held()
            if held is not None:
                return self._take_early(keeper, held, before)
        return self._take_first(keeper, before)

    def _take_early(
        self, keeper: Keeper, held: Held, before: Awaited | None
    ) -> Handed | Awaited:
        whole = held.issued.lifetime_seconds
        renewal = keeper.renew_ahead(min(RENEW_SECONDS, whole * RENEW_PART))
        enough = min(ENOUGH_SECONDS, whole * ENOUGH_PART)
        if renewal is not None and before is None and self._count_left(held) < enough:
            return Awaited(renewal, self._elapsed() + SHORT_WAIT_SECONDS)
        return self._hand(held)

    def _take_first(
        self, keeper: Keeper | DeferredKeeper, before: Awaited | None
    ) -> Handed | Awaited:
        patience = None if before is None else before.patience
        if keeper.current_nowait(patience) is not None:
            settled = keeper.settled
            held = settled.find_held() if isinstance(settled, Keeper) else None
            if held is not None:
                return self._hand(held)
        patience = keeper.plan_wait(patience)
        until = self._elapsed() + keeper.limit_wait(patience)
        return Awaited(keeper.renewal(), until, patience)

    def _hand(self, held: Held) -> Handed:
        return Handed(held.credentials, self._count_left(held))

    def _count_left(self, held: Held) -> float:
        """Return the seconds for which they are served, longer during an outage."""
        return max(held.ends_at, held.serve_until) - self._elapsed()

    def find_seconds_left(self) -> float | None:
        """Return how long the credentials in memory are good for."""
        keeper = self._keeper.settled
        held = keeper.find_held() if isinstance(keeper, Keeper) else None
        return None if held is None else self._count_left(held)
