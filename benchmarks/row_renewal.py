"""The longest single call across a renewal whose source takes two seconds."""

from __future__ import annotations

import datetime
import itertools
import time
from typing import TYPE_CHECKING

from botocore.credentials import RefreshableCredentials

from benchmarks.row import Row
from botocore_conn_provider.exchange.flow import TemporaryCredentials
from botocore_conn_provider.renewal.keeper import Keeper
from botocore_conn_provider.renewal.runtime import Runtime
from botocore_conn_provider.secret import KeyId, Secret
from botocore_conn_provider.sessions.credentials import KeptCredentials

if TYPE_CHECKING:
    from collections.abc import Callable

EXCHANGE_SECONDS = 2.0
WATCHED_SECONDS = 3.0
LIMIT_MS = 5
# Inside everyone's advisory window, and outside the mandatory one.
FIRST_LIFETIME_SECONDS = 800.0


def measure() -> list[Row]:
    """Watch a renewal of each for some seconds."""
    ours = _find_longest_call(_make_ours().get_frozen_credentials) * 1000
    theirs = _find_longest_call(_make_theirs().get_frozen_credentials) * 1000
    return [
        Row(
            what=f"longest call across a renewal of {EXCHANGE_SECONDS:g} s",
            ours=f"{ours:.2f} ms",
            against="botocore's RefreshableCredentials",
            theirs=f"{theirs:.0f} ms",
            result=f"{ours / theirs:.4f} x",
            limit=f"≤ {LIMIT_MS} ms",
            holds=ours <= LIMIT_MS,
        )
    ]


def _find_longest_call(call: Callable[[], object]) -> float:
    longest, end = 0.0, time.perf_counter() + WATCHED_SECONDS
    while time.perf_counter() < end:
        began = time.perf_counter()
        call()
        longest = max(longest, time.perf_counter() - began)
        time.sleep(0.001)
    return longest


def _expiry(seconds: float) -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(
        seconds=seconds
    )


def _make_ours() -> KeptCredentials:
    asked = itertools.count()
    shift = 0.0

    def fetch(_: object) -> TemporaryCredentials:
        if next(asked):
            time.sleep(EXCHANGE_SECONDS)
        return TemporaryCredentials(KeyId("A"), Secret("s"), Secret("t"), _expiry(3600))

    # The clocks jump into the second half of the advisory window.
    runtime = Runtime(
        now=lambda: time.time() + shift, elapsed=lambda: time.monotonic() + shift
    )
    keeper = Keeper(fetch, conn_id="benchmark", runtime=runtime)
    kept = KeptCredentials(keeper, method="m", recipe=(str, ()))
    kept.get_frozen_credentials()
    shift = 3600 - FIRST_LIFETIME_SECONDS + 500
    return kept


def _make_theirs() -> RefreshableCredentials:
    def refresh() -> dict[str, str]:
        time.sleep(EXCHANGE_SECONDS)
        return {
            "access_key": "A",
            "secret_key": "s",
            "token": "t",
            "expiry_time": _expiry(3600).isoformat(),
        }

    return RefreshableCredentials(
        "A", "s", "t", _expiry(FIRST_LIFETIME_SECONDS), refresh, "m"
    )
