"""Turn what a keeper goes through into events, with one warning per change.

An outage lasts for hours and a busy process renews for many connections: what is
worth a WARNING is the change to a worse state, not each attempt in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.events import Event, Kind, describe

if TYPE_CHECKING:
    from botocore_conn_provider.renewal.runtime import Runtime
    from botocore_conn_provider.renewal.schedule import Found, Held

WELL, FAILING, STALE = range(3)


class Telemetry:
    """One connection's events.

    The state is written by the one renewal that runs, and a lost update would cost
    one log level: no lock.
    """

    def __init__(self, conn_id: str, runtime: Runtime) -> None:
        self._conn_id = conn_id
        self._runtime = runtime
        self._state = WELL

    def started(self, held: Held | None) -> None:
        """Tell that a renewal begins."""
        self._tell("renewal_started", held)

    def succeeded(self, held: Held, *, took_seconds: float) -> None:
        """Tell that a renewal brought `held`."""
        self._state = WELL
        self._tell("renewal_succeeded", held, took_seconds=took_seconds)

    def failed(self, held: Held | None, error: BaseException) -> None:
        """Tell that a renewal failed, and what is served now.

        Without credentials the caller gets the error, so it is not also a warning.
        """
        stale = held is not None and self._seconds_left(held) <= 0
        worse = held is not None and self._state < FAILING
        self._state = max(self._state, FAILING)
        text = describe(error)
        self._tell("renewal_failed", held, error=text, degraded=worse)
        if stale:
            worse, self._state = self._state < STALE, STALE
            self._tell("served_stale", held, error=text, degraded=worse)

    def rejected(self, held: Held) -> None:
        """Tell that a service rejected `held`."""
        self._tell("rejected", held)

    def found(self, found: Found, held: Held | None) -> None:
        """Tell what the machine's store had to do with a renewal."""
        if found.waited_seconds:
            self._tell("lock_wait", held, took_seconds=found.waited_seconds)
        if found.from_store:
            self._tell("store_hit", held)

    def _seconds_left(self, held: Held) -> float:
        return held.credentials.expires_at.timestamp() - self._runtime.now()

    def _tell(
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
