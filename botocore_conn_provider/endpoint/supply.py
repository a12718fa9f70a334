"""What an endpoint hands out: a connection's current credentials, from memory.

Clients keep what they are handed until it is nearly over, and botocore asks at each
request inside the last 15 minutes. So credentials are renewed earlier here than for
our own sessions, by the same keeper.

Thread safety: everything is the keeper's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from typing import Any, Protocol, TypeAlias

    from botocore_conn_provider.connection.settings import StaticKeys
    from botocore_conn_provider.errors import ConnProviderError
    from botocore_conn_provider.exchange.base_identity import BaseIdentity
    from botocore_conn_provider.exchange.flow import TemporaryCredentials
    from botocore_conn_provider.renewal.deferred_keeper import DeferredKeeper
    from botocore_conn_provider.renewal.keeper import Keeper
    from botocore_conn_provider.renewal.schedule import Held, Patience

    AnyKeeper: TypeAlias = Keeper | DeferredKeeper
    Keys = TemporaryCredentials | StaticKeys | BaseIdentity

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
# STS issues nothing for longer: what has more is a profile's or a program's, without end.
LONGEST_SECONDS = 36 * 3600


class Handed(Value):
    """Credentials as they are handed out, and how long they are good for."""

    keys: Keys
    seconds_left: float


class Awaited(Value):
    """What a client has to wait for, and for how long at most.

    `patience` is of a client for whom there is nothing yet.
    """

    renewal: Future[Any]
    seconds: float
    patience: Patience | None = None


class FixedSupply:
    """Temporary keys that stand in the connection or a file. Nobody renews them."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def take(self, before: Awaited | None = None) -> Handed:  # noqa: ARG002 - of the protocol
        """Return the keys."""
        return Handed(self._keys, UNKNOWN_LIFETIME_SECONDS)

    def find_seconds_left(self) -> float:
        """Return what is said of their lifetime."""
        return UNKNOWN_LIFETIME_SECONDS


class DeniedSupply:
    """Stands for a connection that is wrong."""

    def __init__(self, error: ConnProviderError) -> None:
        # Imported here: most connections are right.
        from botocore_conn_provider.renewal.attempt import Failure

        self._failure = Failure.from_error(error, conn_id=error.conn_id)

    def take(self, before: Awaited | None = None) -> Handed:  # noqa: ARG002 - of the protocol
        """Raise the error, a new one each time.

        Raises:
            ConnProviderError: Always.
        """
        raise self._failure.build()

    def find_seconds_left(self) -> None:
        """Return that there is nothing."""


class KeptSupply:
    """Credentials that a keeper renews.

    Args:
        find: Returns the keeper; called by the first ask, which may never come.
    """

    def __init__(self, find: Callable[[], AnyKeeper]) -> None:
        self._find = find
        self._keeper: AnyKeeper | None = None

    def take(self, before: Awaited | None = None) -> Handed | Awaited:
        """Return what is in memory while it is valid, and renew it early.

        Without any, the client waits for the running exchange, as callers of our own
        sessions do.

        Raises:
            ConnProviderError: There are none.
        """
        keeper = self._keeper = (self._keeper or self._find()).settled
        held = keeper.find_held()
        if held is None:
            return self._take_first(keeper, before)
        whole = held.issued.lifetime_seconds
        renewal = keeper.renew_ahead(min(RENEW_SECONDS, whole * RENEW_PART))
        enough = min(ENOUGH_SECONDS, whole * ENOUGH_PART)
        if renewal is not None and before is None and keeper.count_left(held) < enough:
            return Awaited(renewal, SHORT_WAIT_SECONDS)
        return _hand(keeper, keeper.find_held() or held)

    def _take_first(
        self, keeper: AnyKeeper, before: Awaited | None
    ) -> Handed | Awaited:
        patience = None if before is None else before.patience
        if keeper.current_nowait(patience) is not None:
            held = keeper.settled.find_held()
            if held is not None:
                return _hand(keeper.settled, held)
        patience = keeper.plan_wait(patience)
        return Awaited(keeper.renewal(), keeper.limit_wait(patience), patience)

    def find_seconds_left(self) -> float | None:
        """Return how long the credentials in memory are good for."""
        if self._keeper is None:
            return None
        keeper = self._keeper.settled
        held = keeper.find_held()
        return None if held is None else keeper.count_left(held)


def _hand(keeper: AnyKeeper, held: Held) -> Handed:
    left = keeper.count_left(held)
    if left > LONGEST_SECONDS:
        left = UNKNOWN_LIFETIME_SECONDS
    return Handed(held.credentials, left)


class EndingSupply:
    """Credentials that are handed out to their end, and not renewed."""

    def __init__(self, keeper: Keeper, conn_id: str) -> None:
        self._held = keeper.find_held()
        self._keeper = keeper
        self._conn_id = conn_id

    def take(self, before: Awaited | None = None) -> Handed:  # noqa: ARG002 - of the protocol
        """Return them.

        Raises:
            CredentialFetchError: Their end has come.
        """
        left = self.find_seconds_left()
        if self._held is None or left is None:
            # Imported here: it comes at the end.
            from botocore_conn_provider.errors import CredentialFetchError

            raise CredentialFetchError(
                conn_id=self._conn_id,
                cause="the time for which this program was given credentials is over.",
                hint="Start it again, with a longer --for or without it.",
            )
        return Handed(self._held.credentials, left)

    def find_seconds_left(self) -> float | None:
        """Return how long they are good for yet."""
        left = 0.0 if self._held is None else self._keeper.count_left(self._held)
        return left if left > 0 else None
