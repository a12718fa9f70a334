"""What `top` shows, as values: one row for each identity in the store."""

from __future__ import annotations

import datetime
import os
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.renewal.runtime import Runtime
from botocore_conn_provider.renewal.store.ask_log import read_logs
from botocore_conn_provider.renewal.store.directory import open_directory
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from pathlib import Path

    from botocore_conn_provider.renewal.store.ask_log import AskLog, NotedAsk

MINUTE, HOUR = 60, 3600


class Row(Value):
    """One identity, at the moment of the look."""

    identity: str
    """What tells it from others of the same connection and role."""
    log: AskLog
    now: float
    """On the clock that nobody sets, as all times of the log."""

    @property
    def seconds_left(self) -> float | None:
        """How long the last credentials are good for; negative if they have expired."""
        ends_at = self.log.ends_at
        return None if ends_at is None else ends_at - self.now

    @property
    def asks_per_minute(self) -> int:
        """How often the source was asked in the last minute."""
        return self.log.count_since(self.now - MINUTE)

    @property
    def asks_per_hour(self) -> int:
        """How often the source was asked in the last hour."""
        return self.log.count_since(self.now - HOUR)

    def describe(self) -> dict[str, Any]:
        """Return it for JSON; the shape is in docs/command-line.md."""
        log, left, renewal = self.log, self.seconds_left, self.log.renewal
        return {
            "connection": log.subject.conn_id,
            "identity": self.identity,
            "role_arn": log.subject.role_arn,
            "seconds_left": None if left is None else round(left),
            "lifetime_seconds": _round(log.lifetime_seconds),
            "failing": log.is_failing,
            "last_renewal": None if renewal is None else self._describe_ask(renewal),
            "last_error": log.fault
            and {
                "seconds_ago": round(self.now - log.fault.at),
                "text": log.fault.text,
            },
            "asks": {
                "last_minute": self.asks_per_minute,
                "last_hour": self.asks_per_hour,
                "total": log.total,
                "failed": log.failed,
            },
        }

    def _describe_ask(self, ask: NotedAsk) -> dict[str, Any]:
        return {
            "seconds_ago": round(self.now - ask.at),
            "took_seconds": ask.took_seconds,
            "program": ask.program,
            "pid": ask.pid,
            "host": ask.host,
        }


class Look(Value):
    """The whole store at one moment. `at` is by the wall clock."""

    store: Path
    at: datetime.datetime
    rows: tuple[Row, ...]
    exists: bool = True

    def describe(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "store": str(self.store),
            "exists": self.exists,
            "at": self.at.isoformat(timespec="seconds"),
            "connections": [row.describe() for row in self.rows],
        }


def look(path: Path, clocks: Runtime = Runtime()) -> Look:  # noqa: B008 - immutable
    """Read the logs in a store. None is made where there is none.

    Raises:
        UnsafeStoreError: Other users have access, so nobody of ours has used it.
    """
    at = datetime.datetime.fromtimestamp(clocks.now(), datetime.timezone.utc)
    if not os.path.lexists(path):
        return Look(path, at, (), exists=False)
    directory = open_directory(path)
    try:
        now = clocks.elapsed()
        # Of a store on disk that is older than the machine's start the times say nothing.
        found = [Row(*each, now) for each in read_logs(directory)]
    finally:
        os.close(directory)
    rows = [row for row in found if _is_of_now(row.log, now)]
    return Look(path, at, tuple(sorted(rows, key=_place_of)))


def _is_of_now(log: AskLog, now: float) -> bool:
    return bool(log.asks) and log.asks[-1].at <= now + 1


def _place_of(row: Row) -> tuple[str, str, float]:
    return row.log.subject.conn_id, row.log.subject.role_arn or "", row.log.asks[0].at


def _round(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)
