"""The steady state: what one request pays for credentials that need nothing."""

from __future__ import annotations

import datetime
import timeit
from functools import partial
from typing import TYPE_CHECKING

from botocore.credentials import RefreshableCredentials

from benchmarks.row import Row, compare_ratio, take_turns
from botocore_conn_provider.exchange.flow import TemporaryCredentials
from botocore_conn_provider.renewal.keeper import Keeper
from botocore_conn_provider.secret import KeyId, Secret
from botocore_conn_provider.sessions.credentials import KeptCredentials

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS, CALLS = 15, 20_000
LIMIT = 0.1


def measure() -> list[Row]:
    """Time one call of each, by turns."""
    expires_at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(
        hours=6
    )
    keys = TemporaryCredentials(KeyId("ASIA"), Secret("s"), Secret("t"), expires_at)
    keeper = Keeper(lambda _: keys, conn_id="benchmark")
    ours = KeptCredentials(keeper, method="m", recipe=(str, ()))
    theirs = RefreshableCredentials(
        "ASIA", "s", "t", expires_at, refresh_using=dict, method="m"
    )
    ways = {"ours": ours, "theirs": theirs}
    took = take_turns(
        {
            name: partial(_time_call, each.get_frozen_credentials)
            for name, each in ways.items()
        },
        rounds=ROUNDS,
    )
    return [
        compare_ratio(
            "get_frozen_credentials(), steady state",
            took["ours"],
            against="botocore's RefreshableCredentials",
            theirs=took["theirs"],
            unit="ns",
            limit=LIMIT,
        )
    ]


def _time_call(call: Callable[[], object]) -> float:
    """Return nanoseconds."""
    return timeit.timeit(call, number=CALLS) / CALLS * 1e9
