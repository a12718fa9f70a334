"""What `install()` imports over boto3, in time and in modules."""

from __future__ import annotations

import statistics

from benchmarks.interpreter import read_figures
from benchmarks.row import Row

ROUNDS = 25
LIMIT_MS = 10
PROGRAM = """
    import sys, time
    start = time.perf_counter()
    import boto3
    between, had = time.perf_counter(), len(sys.modules)
    import botocore_conn_provider
    botocore_conn_provider.install()
    end = time.perf_counter()
    print((end - between) * 1000, len(sys.modules) - had, (between - start) * 1000, had)
"""


def measure() -> list[Row]:
    """Import boto3 and then ours, in the same interpreters."""
    runs = [read_figures(PROGRAM, {}) for _ in range(ROUNDS + 1)][1:]
    ours, modules, theirs, had = map(statistics.median, zip(*runs, strict=True))
    return [
        Row(
            what="import and install()",
            ours=f"{ours:.1f} ms, {modules:.0f} modules",
            against="import boto3",
            theirs=f"{theirs:.1f} ms, {had:.0f} modules",
            result=f"+{ours:.1f} ms",
            limit=f"≤ {LIMIT_MS} ms",
            holds=ours <= LIMIT_MS,
        )
    ]
