"""What activation costs an interpreter that never imports botocore."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import botocore_conn_provider
from benchmarks.interpreter import build_environment
from benchmarks.row import Row, compare_surplus, take_turns

if TYPE_CHECKING:
    from collections.abc import Mapping

ROUNDS = 60
LIMIT_MS = 1
AUTOLOAD = Path(botocore_conn_provider.__file__).parent / "startup" / "autoload"
CONNECTION = {"AIRFLOW_CONN_AWS_DEFAULT": "aws://"}
QUIET = {f"OTEL_{kind}_EXPORTER": "none" for kind in ("TRACES", "METRICS", "LOGS")}
# Where other start-up hooks have their sitecustomize, if they are installed.
OTHERS = {
    "opentelemetry": ("opentelemetry.instrumentation.auto_instrumentation", QUIET),
    "ddtrace": ("ddtrace.bootstrap", {"DD_TRACE_ENABLED": "false"}),
}


def measure() -> list[Row]:
    """Start bare, activated and otherwise hooked interpreters by turns."""
    empty = tempfile.mkdtemp()
    ways = {
        "bare": {"PYTHONPATH": empty},
        "ours": _activated(AUTOLOAD),
        "engines on": {**_activated(AUTOLOAD), "BOTOCORE_CONN_ENGINES": "on"},
    }
    for name, (module, variables) in OTHERS.items():
        directory = _find_directory(module)
        if directory is not None:
            ways[name] = {"PYTHONPATH": str(directory), **variables}
    taken = take_turns(
        {name: partial(_start, env) for name, env in ways.items()}, rounds=ROUNDS
    )
    return [_compare(name, taken) for name in taken if name != "bare"]


def _compare(name: str, taken: Mapping[str, float]) -> Row:
    return compare_surplus(
        "start of an activated interpreter" if name == "ours" else f"the same, {name}",
        taken[name],
        against="python -c pass",
        theirs=taken["bare"],
        unit="ms",
        limit=None if name in OTHERS else LIMIT_MS,
    )


def _activated(autoload: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(autoload), **CONNECTION}


def _find_directory(module: str) -> Path | None:
    root = module.partition(".")[0]
    if find_spec(root) is None:
        return None
    directory = Path(sysconfig.get_path("purelib"), *module.split("."))
    return directory if directory.is_dir() else None


def _start(environment: Mapping[str, str]) -> float:
    wanted = build_environment(environment)
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], env=wanted, cwd=os.sep, check=True)
    return (time.perf_counter() - start) * 1000
