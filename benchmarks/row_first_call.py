"""Process start to the first signed call, against what botocore does itself."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from benchmarks.interpreter import time_to_line
from benchmarks.row import Row, compare_ratio, take_turns
from benchmarks.stub_aws import run_stub_aws
from benchmarks.ways import build_ways

ROUNDS = 25
SAY_SO = "print('done', flush=True)"


def measure() -> list[Row]:
    """Start some hundred interpreters; takes a minute."""
    with run_stub_aws() as url, tempfile.TemporaryDirectory() as directory:
        ways = build_ways(url, Path(directory))
        took = take_turns(
            {
                name: partial(time_to_line, way.write_program(SAY_SO), way.environment)
                for name, way in ways.items()
            },
            rounds=ROUNDS,
        )
    return [
        compare_ratio(
            "start to first signed call, AssumeRole",
            took["conn role"],
            against="botocore's profile with role_arn",
            theirs=took["botocore role"],
            unit="ms",
            limit=1.05,
        ),
        compare_ratio(
            "the same",
            took["conn role"],
            against="static keys in the environment",
            theirs=took["botocore keys"],
            unit="ms",
        ),
        compare_ratio(
            "start to first signed call, keys",
            took["conn keys"],
            against="static keys in the environment",
            theirs=took["botocore keys"],
            unit="ms",
        ),
    ]
