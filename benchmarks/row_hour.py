"""How often STS is asked in a simulated hour of sessions that last 15 minutes."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, NamedTuple

from botocore.credentials import RefreshableCredentials

from benchmarks.row import Row
from botocore_conn_provider.exchange.flow import TemporaryCredentials
from botocore_conn_provider.renewal.keeper import Keeper
from botocore_conn_provider.renewal.runtime import Runtime
from botocore_conn_provider.secret import KeyId, Secret

if TYPE_CHECKING:
    from collections.abc import Callable

SESSION = datetime.timedelta(minutes=15)
REQUESTS, STEP = 3600, datetime.timedelta(seconds=1)
EPOCH = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
LIMIT = 6


class Simulated(NamedTuple):
    """An hour in which a request is signed each second."""

    clock: list[datetime.datetime]
    asked: list[datetime.datetime]

    def now(self) -> datetime.datetime:
        """Return the simulated time."""
        return self.clock[0]

    def issue(self) -> datetime.datetime:
        """Count an exchange; return when its set ends."""
        self.asked.append(self.now())
        return self.now() + SESSION

    def count_exchanges(self, sign: Callable[[], object]) -> int:
        """Sign for an hour; return how often STS was asked."""
        for _ in range(REQUESTS):
            sign()
            self.clock[0] += STEP
        return len(self.asked)


def measure() -> list[Row]:
    """Let both live the hour; takes a moment."""
    ours = _count_ours(Simulated([EPOCH], []))
    theirs = _count_theirs(Simulated([EPOCH], []))
    return [
        Row(
            what=f"STS calls in an hour of 15-minute sessions, {REQUESTS} requests",
            ours=str(ours),
            against="botocore's RefreshableCredentials",
            theirs=str(theirs),
            result=f"{ours / theirs:.4f} x",
            limit=f"≤ {LIMIT}",
            holds=ours <= LIMIT,
        )
    ]


def _count_ours(hour: Simulated) -> int:
    def fetch(_: object) -> TemporaryCredentials:
        return TemporaryCredentials(KeyId("A"), Secret("s"), Secret("t"), hour.issue())

    runtime = Runtime(
        now=lambda: hour.now().timestamp(),
        elapsed=lambda: hour.now().timestamp(),
        start_thread=lambda work: work(),
    )
    keeper = Keeper(fetch, conn_id="benchmark", runtime=runtime)
    return hour.count_exchanges(keeper.current)


def _count_theirs(hour: Simulated) -> int:
    def refresh() -> dict[str, str]:
        ends = hour.issue().isoformat()
        return {"access_key": "A", "secret_key": "s", "token": "t", "expiry_time": ends}

    credentials = RefreshableCredentials(
        "A", "s", "t", hour.issue(), refresh, "m", time_fetcher=hour.now
    )
    return hour.count_exchanges(credentials.get_frozen_credentials)
