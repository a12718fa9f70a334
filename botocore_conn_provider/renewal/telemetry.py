"""Report what a keeper does as events, with one warning per change of state.

An outage may last for hours, and a process may renew many connections, so only the
change to a worse state is a WARNING, not each failed attempt.
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
