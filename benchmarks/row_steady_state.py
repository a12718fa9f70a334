"""The steady state: what one request pays for credentials that need nothing."""

from __future__ import annotations

import datetime
import statistics
import timeit
from typing import TYPE_CHECKING

from botocore.credentials import RefreshableCredentials

from botocore_conn_provider.exchange import TemporaryCredentials
from botocore_conn_provider.hosts.credentials import KeptCredentials
from botocore_conn_provider.keeper.keeper import Keeper
from botocore_conn_provider.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS, CALLS = 15, 20_000
LIMIT = 0.1


def measure() -> list[tuple[str, str, str]]:
    """Return rows of label, figure and ratio, ours and botocore's by turns."""
    expires_at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(
        hours=6
    )
    keys = TemporaryCredentials("ASIA", Secret("s"), Secret("t"), expires_at)
    keeper = Keeper(lambda: keys, conn_id="benchmark")
    ours = KeptCredentials(keeper, method="m", recipe=(str, ()))
    theirs = RefreshableCredentials(
        "ASIA", "s", "t", expires_at, refresh_using=dict, method="m"
    )
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        times[0].append(_time_call(ours.get_frozen_credentials))
        times[1].append(_time_call(theirs.get_frozen_credentials))
    mine, botocores = map(statistics.median, times)
    return [
        ("get_frozen_credentials(), ours", f"{mine * 1e9:.0f} ns", ""),
        (
            "get_frozen_credentials(), botocore's RefreshableCredentials",
            f"{botocores * 1e9:.0f} ns",
            f"{mine / botocores:.3f} x (at most {LIMIT})",
        ),
    ]


def _time_call(call: Callable[[], object]) -> float:
    return timeit.timeit(call, number=CALLS) / CALLS
