"""What a whole process costs whose first import is ours, in every form of a start.

A process makes one signed call and ends. Compared is its processor time (user and
system), which other work on the machine changes less than the time on the clock;
`row_first_call` has that. `BENCHMARK_PYTHONS` names interpreters, separated as in
`PATH`, that have this package installed; without it, it is the one that runs this.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.forms import FORMS, MODULE
from benchmarks.interpreter import build_environment
from benchmarks.row import Row, compare_ratio, take_turns
from benchmarks.stub_aws import run_stub_aws
from benchmarks.ways import Way, build_ways

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROUNDS = 10
LIMIT = 1.05
PAIRS = (
    ("AssumeRole", "conn role", "botocore's profile with role_arn", "botocore role"),
    ("a warm store", "conn role, store", "static keys", "botocore keys"),
)
NAME = "import sys; print('.'.join(map(str, sys.version_info[:2])))"


def measure() -> list[Row]:
    """Start some two hundred processes for each Python; takes two minutes or three."""
    named = os.environ.get("BENCHMARK_PYTHONS", "").split(os.pathsep)
    pythons = [name for name in named if name] or [sys.executable]
    with run_stub_aws() as url, tempfile.TemporaryDirectory() as directory:
        ways = build_ways(url, Path(directory))
        return [
            row
            for python in pythons
            for row in _measure_python(python, ways, Path(directory))
        ]


def _measure_python(python: str, ways: Mapping[str, Way], directory: Path) -> list[Row]:
    version = subprocess.run(
        [python, "-c", NAME], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    measured: dict[str, Callable[[], float]] = {}
    for _, ours, _, theirs in PAIRS:
        for name, form in itertools.product((ours, theirs), FORMS):
            place = Path(tempfile.mkdtemp(dir=directory))
            (place / f"{MODULE}.py").write_text(_write_program(ways[name]))
            measured[f"{name}, {form}"] = partial(
                _run,
                *(python, form, ways[name]),
                directory=place,
                turns=itertools.count(),
            )
    took = take_turns(measured, rounds=ROUNDS)
    return [
        compare_ratio(
            f"{form}, {what}, Python {version}",
            took[f"{ours}, {form}"],
            against=against,
            theirs=took[f"{theirs}, {form}"],
            unit="ms CPU",
            limit=LIMIT,
        )
        for (what, ours, against, theirs), form in itertools.product(PAIRS, FORMS)
    ]


def _write_program(way: Way) -> str:
    """Write it as the README does: what installs stands before `import boto3`."""
    return f"{way.install}\nimport boto3\n{way.call}\n"


def _run(
    python: str, form: str, way: Way, *, directory: Path, turns: itertools.count[int]
) -> float:
    command = [python, *FORMS[form](directory, next(turns))]
    process = subprocess.Popen(
        command,
        env=build_environment(way.environment),
        cwd=directory,
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("a program of the benchmark failed; see above")
    return (usage.ru_utime + usage.ru_stime) * 1000
