"""Get credentials from the machine's store, else from their source, with retries.

Blocks; run by one renewal at a time. Retries are for callers without credentials:
while credentials are valid, the keeper's own back-off is the retry, and a busy STS is
asked just once more.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from botocore_conn_provider.errors import StsExchangeError
from botocore_conn_provider.renewal.repeats import Pauses, Repeats
from botocore_conn_provider.renewal.schedule import Found, Issued
from botocore_conn_provider.renewal.state import Renewed

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ClassVar, Protocol

    from botocore_conn_provider.exchange.flow import Repeat, TemporaryCredentials
    from botocore_conn_provider.renewal.runtime import Runtime
    from botocore_conn_provider.renewal.schedule import RenewalPolicy
    from botocore_conn_provider.renewal.state import KeeperState

    # For the type checker alone: defining a protocol delays each start.
    class Store(Protocol):
        """One connection's entry in a store that processes share."""

        def obtain(
            self,
            fetch: Callable[[], Issued],
            *,
            accept: Callable[[Issued], bool],
            repeats: Repeats | None = None,
        ) -> Found:
            """Return stored credentials if `accept` does, else fetch and store new ones.

            With the `repeats` of the attempt, who asks takes turns with others.
            """


# What a renewal in the background asks of a busy STS besides: a blip is no warning.
REPEATS_IN_BACKGROUND = 1
# Source: AWS STS API reference, the longest of all its sessions (GetSessionToken).
LONGEST_LIFETIME_SECONDS = 36 * 3600


class Source:
    """Where a connection's credentials come from.

    Args:
        fetch: Does the whole exchange; see `Keeper`.
        conn_id: For errors.
        policy: The pauses.
        store: The connection's entry in the machine's store; None without a store.
        runtime: Clocks, random numbers, pauses.

    Attributes:
        shorten: In a rehearsal, what gives new credentials of a connection an earlier
            end.
    """

    shorten: ClassVar[
        Callable[[TemporaryCredentials, str], TemporaryCredentials] | None
    ] = None

    def __init__(
        self,
        fetch: Callable[[Repeat], TemporaryCredentials],
        *,
        conn_id: str,
        policy: RenewalPolicy,
        store: Store | None,
        runtime: Runtime,
    ) -> None:
        self._fetch = fetch
        self._conn_id = conn_id
        self._pauses = Pauses(policy, runtime)
        self._store = store
        self._runtime = runtime

    def obtain(
        self,
        deadline: float,
        *,
        accept: Callable[[Issued], bool],
        spare_until: float | None = None,
        valid_until: float | None = None,
    ) -> Found:
        """Return stored credentials that `accept` allows, else new ones.

        What proves who we are ends a little before `deadline`, which is on the
        runtime's `elapsed` clock: so its own error is told and not that of who waits.
        Until `spare_until` valid credentials are served to all callers; they expire at
        `valid_until`.

        Raises:
            ConnProviderError: The exchange failed, or its answer has expired.
        """
        repeats = self._begin(
            deadline,
            most=REPEATS_IN_BACKGROUND,
            spare_until=spare_until,
            valid_until=valid_until,
        )
        return self._obtain(accept, repeats)

    def obtain_patiently(
        self,
        deadline: float,
        *,
        accept: Callable[[Issued], bool],
        starts_at: float = 0.0,
    ) -> Found:
        """Do as `obtain`, and retry after transient faults until `deadline`.

        With a store, nobody is asked before `starts_at`.
        """
        repeats = self._begin(deadline, most=float("inf"))
        repeats.starts_at = starts_at
        return repeats.run(lambda: self._obtain(accept, repeats))

    def _begin(
        self,
        deadline: float,
        *,
        most: float,
        spare_until: float | None = None,
        valid_until: float | None = None,
    ) -> Repeats:
        repeats = Repeats(
            self._pauses,
            deadline,
            most=most,
            runtime=self._runtime,
            spare_until=spare_until,
            valid_until=valid_until,
        )
        repeats.conn_id = self._conn_id
        return repeats

    def _obtain(self, accept: Callable[[Issued], bool], repeats: Repeats) -> Found:
        def ask() -> Issued:
            return self._ask(repeats)

        if self._store is None:
            found = Found(ask(), from_store=False, waited_seconds=0.0)
        else:
            found = self._store.obtain(ask, accept=accept, repeats=repeats)
        self._pauses.reset()
        return found

    def _ask(self, repeats: Repeats) -> Issued:
        # Imported here: a start that is served from the store asks no source.
        from botocore_conn_provider.attempt_end import ending_in

        with ending_in(repeats.leaves_at - self._runtime.elapsed()):
            credentials = self._fetch(repeats.repeat)
        if Source.shorten is not None:
            credentials = Source.shorten(credentials, self._conn_id)
        now = self._runtime.now()
        seconds = find_lifetime(credentials, now)
        if seconds <= 0:
            raise self._already_expired(credentials, now)
        obtained_at = self._runtime.elapsed()
        return Issued(credentials, obtained_at, ends_at=obtained_at + seconds)

    def _already_expired(
        self, credentials: TemporaryCredentials, now: float
    ) -> StsExchangeError:
        clock = datetime.datetime.fromtimestamp(now, tz=datetime.timezone.utc)
        server = credentials.server_time
        said = "was missing" if server is None else f"was {server:%Y-%m-%d %H:%M:%S %Z}"
        return StsExchangeError(
            conn_id=self._conn_id,
            cause=(
                "the new credentials have already expired: they end at"
                f" {credentials.expires_at:%Y-%m-%d %H:%M:%S} UTC, this machine's"
                f" clock shows {clock:%Y-%m-%d %H:%M:%S} UTC, the server's Date {said}."
            ),
            hint="Check the clock and its synchronisation (timedatectl).",
        )


class RenewalCall:
    """One whole renewal, with its events.

    Apart from the keeper, so that no circle of references keeps one that is not used.
    """

    def __init__(
        self,
        source: Source,
        *,
        state: KeeperState,
        elapsed: Callable[[], float],
    ) -> None:
        self._source = source
        self._state = state
        self._elapsed = elapsed

    def __call__(self, deadline: float) -> Renewed:
        """Return new credentials; blocks as the source does."""
        began = self._elapsed()
        telemetry = self._state.telemetry
        telemetry.started(self._state.held)
        found = self._obtain(deadline)
        telemetry.found(found, self._state.held)
        return Renewed(found.issued, took_seconds=self._elapsed() - began)

    def _obtain(self, deadline: float) -> Found:
        accept = self._state.is_news
        held = self._state.held
        if held is not None and self._state.find_servable() is not None:
            return self._source.obtain(
                deadline,
                accept=accept,
                spare_until=held.wait_at,
                valid_until=held.ends_at,
            )
        starts_at = self._state.begin()
        return self._source.obtain_patiently(
            deadline, accept=accept, starts_at=starts_at
        )


def find_lifetime(credentials: TemporaryCredentials, now: float) -> float:
    """Return the seconds until they expire; negative if they have expired.

    By the clock of the server that issued them, because ours may be wrong. By ours if
    the server named no time, or one from which no lifetime follows that STS grants.

    Args:
        credentials: Just received.
        now: Our wall clock.
    """
    ends = credentials.expires_at.timestamp()
    server = credentials.server_time
    if server is not None:
        seconds = ends - server.timestamp()
        if 0 < seconds <= LONGEST_LIFETIME_SECONDS:
            return seconds
    return ends - now
