"""Process start to the first signed call, against what botocore does itself.

The reference hook stands beside it where its package is installed.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from benchmarks.interpreter import time_to_line
from benchmarks.row import Row, compare_ratio, take_turns
from benchmarks.stub_aws import run_stub_aws
from benchmarks.ways import REFERENCE, build_ways

ROUNDS = 25
SAY_SO = "print('done', flush=True)"


def measure() -> list[Row]:
    """Start some hundred and fifty interpreters; takes a minute or two."""
    with run_stub_aws() as url, tempfile.TemporaryDirectory() as directory:
        ways = build_ways(url, Path(directory))
        took = take_turns(
            {
                name: partial(time_to_line, way.write_program(SAY_SO), way.environment)
                for name, way in ways.items()
            },
            rounds=ROUNDS,
        )
    return [*_compare_exchanges(took), *_compare_without(took), _compare_hook(took)]


def _compare_exchanges(took: dict[str, float]) -> list[Row]:
    start = "start to first signed call, AssumeRole"
    role = partial(compare_ratio, start, took["conn role"], unit="ms")
    return [
        role(
            against="botocore's profile with role_arn",
            theirs=took["botocore role"],
            limit=1.05,
        ),
        role(against="static keys in the environment", theirs=took["botocore keys"]),
    ]


def _compare_without(took: dict[str, float]) -> list[Row]:
    """Compare the starts that ask no STS: the take_turns' first round warms them."""
    warm = "the same with a warm store"
    store = partial(compare_ratio, warm, took["conn role, store"], unit="ms")
    return [
        store(
            against="static keys in the environment",
            theirs=took["botocore keys"],
            limit=1.05,
        ),
        store(
            against="botocore's role with a warm JSONFileCache",
            theirs=took["botocore role, file"],
        ),
        compare_ratio(
            "start to first signed call, keys",
            took["conn keys"],
            against="static keys in the environment",
            theirs=took["botocore keys"],
            unit="ms",
        ),
    ]


def _compare_hook(took: dict[str, float]) -> Row:
    what, hook, limit = "start to first signed call, AssumeRole", REFERENCE, 1 / 6
    ours = took["conn role"]
    if "reference role" not in took:
        shown = f"{ours:.1f} ms"
        return Row(what, shown, hook, "not installed", "", f"≤ {limit:.3f} x", None)
    return compare_ratio(
        what, ours, against=hook, theirs=took["reference role"], unit="ms", limit=limit
    )
