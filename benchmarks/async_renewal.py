"""The event loop across a renewal that a thousand coroutines wait for.

A program of its own, because aiobotocore pins an older botocore than the table's:
`python -m benchmarks.async_renewal`, in an environment that has it.
"""

from __future__ import annotations

import asyncio
import datetime
import sys
import time
from typing import NamedTuple

from botocore_conn_provider.exchange.flow import TemporaryCredentials
from botocore_conn_provider.renewal.keeper import Keeper
from botocore_conn_provider.renewal.runtime import Runtime
from botocore_conn_provider.secret import KeyId, Secret
from botocore_conn_provider.sessions.aio.aio_credentials import AioKeptCredentials

CROWD = 1000
EXCHANGE_SECONDS = 1.0
ARRIVAL_SECONDS = 0.5
LIFETIME_SECONDS = 3600.0
LIMIT_MS = 10.0


class Outcome(NamedTuple):
    """What the crowd saw."""

    renewals: int
    failures: int
    longest_stall_ms: float
    empty_loop_stall_ms: float


class Source:
    """Credentials whose clock can be put forward, and that count themselves."""

    def __init__(self) -> None:
        self.asked = 0
        self.shift = 0.0

    def now(self) -> float:
        """Return the time of the shifted wall clock."""
        return time.time() + self.shift

    def elapsed(self) -> float:
        """Return the time of the shifted steady clock."""
        return time.monotonic() + self.shift

    def fetch(self, _: object) -> TemporaryCredentials:
        """Take a second, but for the first set."""
        self.asked += 1
        if self.asked > 1:
            time.sleep(EXCHANGE_SECONDS)
        ends = datetime.datetime.fromtimestamp(
            self.now() + LIFETIME_SECONDS, datetime.timezone.utc
        )
        return TemporaryCredentials(
            KeyId(f"ASIA{self.asked}"), Secret("s"), Secret("t"), ends
        )


async def find_longest_stall(seconds: float) -> float:
    """Return the longest that a millisecond's sleep was late, in milliseconds."""
    longest, end = 0.0, time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        await asyncio.sleep(0.001)
        longest = max(longest, time.perf_counter() - began - 0.001)
    return longest * 1000


async def arrive(kept: AioKeptCredentials, place: int) -> None:
    """Ask for credentials, one of the crowd after the other, within half a second."""
    await asyncio.sleep(ARRIVAL_SECONDS * place / CROWD)
    await kept.get_frozen_credentials()


async def cross_a_renewal() -> Outcome:
    """Let the set expire with the crowd at the door."""
    source = Source()
    runtime = Runtime(now=source.now, elapsed=source.elapsed)
    keeper = Keeper(source.fetch, conn_id="benchmark", runtime=runtime)
    kept = AioKeptCredentials(keeper, method="m", recipe=(str, ("benchmark",)))
    await kept.get_frozen_credentials()
    idle = await find_longest_stall(EXCHANGE_SECONDS)
    source.shift = LIFETIME_SECONDS + 1  # expired: everyone has to wait
    crowd = [asyncio.ensure_future(arrive(kept, i)) for i in range(CROWD)]
    everyone = asyncio.gather(*crowd, return_exceptions=True)
    await asyncio.sleep(0)  # what a thousand tasks cost to start is not ours
    watch = asyncio.ensure_future(find_longest_stall(EXCHANGE_SECONDS + 1))
    ended = await everyone
    failures = sum(isinstance(one, BaseException) for one in ended)
    return Outcome(source.asked - 1, failures, await watch, idle)


def main() -> int:
    """Print the outcome; 1 if a promise is broken."""
    outcome = asyncio.run(cross_a_renewal())
    print(f"{CROWD} coroutines across a renewal of {EXCHANGE_SECONDS:g} s:")
    for name, value in outcome._asdict().items():
        print(
            f"  {name}: {value:.2f}"
            if isinstance(value, float)
            else f"  {name}: {value}"
        )
    stall = outcome.longest_stall_ms
    kept = outcome[:2] == (1, 0) and stall <= LIMIT_MS
    print(
        f"  limit: 1 renewal, 0 failures, {LIMIT_MS:g} ms: {'holds' if kept else 'BROKEN'}"
    )
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
