"""Resident memory after the first call, over the same with plain boto3."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.interpreter import read_figures
from benchmarks.row import Row, compare_surplus, take_turns
from benchmarks.stub_aws import run_stub_aws
from benchmarks.ways import Way, build_ways

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 9
READ = ("conn role", "botocore role", "conn keys", "botocore keys")
LIMIT_MIB = 1.5
READ_RESIDENT = """
pages = int(open('/proc/self/statm').read().split()[1])
import resource
print(pages * resource.getpagesize() / 2**20)
"""


def measure() -> list[Row]:
    """Read the memory of some forty interpreters (Linux only)."""
    with run_stub_aws() as url, tempfile.TemporaryDirectory() as directory:
        ways = build_ways(url, Path(directory))
        readers = {name: _read_resident(ways[name]) for name in READ}
        resident = take_turns(readers, rounds=ROUNDS)
    return [
        compare_surplus(
            f"resident memory, {kind}",
            resident[f"conn {name}"],
            against=f"plain boto3, {against}",
            theirs=resident[f"botocore {name}"],
            unit="MiB",
            limit=LIMIT_MIB,
        )
        for name, kind, against in (
            ("role", "AssumeRole", "profile with role_arn"),
            ("keys", "keys", "keys in the environment"),
        )
    ]


def _read_resident(way: Way) -> Callable[[], float]:
    program = way.write_program(READ_RESIDENT)
    return lambda: read_figures(program, way.environment)[0]
