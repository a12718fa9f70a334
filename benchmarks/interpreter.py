"""Run programs in a fresh interpreter, as an operator would start them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# What would change the figures, or the identity.
FOREIGN = ("AWS_", "AIRFLOW_", "BOTO", "PYTHON", "COVERAGE")


def build_environment(wanted: Mapping[str, str]) -> dict[str, str]:
    """Return this environment without what is `FOREIGN`, with `wanted`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true", **wanted}


def time_to_line(program: str, environment: Mapping[str, str]) -> float:
    """Return the milliseconds from process start to the program's first line."""
    with tempfile.TemporaryDirectory() as empty:
        start = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program)],
            env=build_environment(environment),
            cwd=empty,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            line = process.stdout.readline() if process.stdout else ""
            took = time.perf_counter() - start
    if process.returncode or not line:
        raise SystemExit("a program of the benchmark failed; see above")
    return took * 1000


def read_figures(program: str, environment: Mapping[str, str]) -> list[float]:
    """Return the figures that the program prints on its one line."""
    with tempfile.TemporaryDirectory() as empty:
        ended = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)],
            env=build_environment(environment),
            cwd=empty,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return [float(figure) for figure in ended.stdout.split()]
