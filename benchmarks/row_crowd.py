"""How often STS is asked when many processes start at once with an empty store."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.interpreter import build_environment
from benchmarks.row import Row
from benchmarks.stub_aws import read_asked, run_stub_aws
from benchmarks.ways import Way, build_ways

PROCESSES = 50
LIMIT = 1


def measure() -> list[Row]:
    """Start some hundred interpreters, in two crowds."""
    with tempfile.TemporaryDirectory() as directory:
        ours = _count_asked("conn role, store", Path(directory))
        theirs = _count_asked("botocore role, file", Path(directory))
    return [
        Row(
            what=f"STS calls of {PROCESSES} processes at once, empty store",
            ours=str(ours),
            against="botocore's role with JSONFileCache",
            theirs=str(theirs),
            result=f"{ours / theirs:.3f} x",
            limit=f"≤ {LIMIT}",
            holds=ours <= LIMIT,
        )
    ]


def _count_asked(name: str, directory: Path) -> int:
    with run_stub_aws() as url:
        way = build_ways(url, directory)[name]
        for process in [_start(way, directory) for _ in range(PROCESSES)]:
            if process.wait():
                raise SystemExit("a program of the benchmark failed; see above")
        return read_asked(url)


def _start(way: Way, directory: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", way.write_program("")],
        env=build_environment(way.environment),
        cwd=directory,
    )
