"""`credential-process` and `exec` with a warm store, over an interpreter that does nothing.

Beside it what the AWS CLI takes (`AWS_CLI` names it, else the path): version 2 for the
same document, version 1, which has no such command, for showing what it would use.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.interpreter import build_environment
from benchmarks.row import Row, compare_ratio, compare_surplus, take_turns
from benchmarks.stub_aws import run_stub_aws
from benchmarks.ways import KEYS, ROLE_ARN, build_ways

if TYPE_CHECKING:
    from collections.abc import Mapping

ROUNDS = 25
LIMIT_MS, EXEC_LIMIT_MS = 60, 120
PROGRAM = (sys.executable, "-m", "botocore_conn_provider")
COMMAND, EXEC = (*PROGRAM, "credential-process"), (*PROGRAM, "exec", "--", "true")
EXPORT = ("configure", "export-credentials", "--format", "process")
SHOW = ("configure", "list")


def measure() -> list[Row]:
    """Start some hundred processes; takes half a minute."""
    with run_stub_aws() as url, tempfile.TemporaryDirectory() as directory:
        ways: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
            "bare": ((sys.executable, "-c", "pass"), {}),
            "ours": (COMMAND, _build_warm(url, Path(directory))),
            "exec": (EXEC, _build_warm(url, Path(directory))),
        }
        aws_cli = os.environ.get("AWS_CLI") or shutil.which("aws")
        if aws_cli is not None:
            theirs = build_ways(url, Path(directory))["botocore role"].environment
            ways["aws"] = (_choose_words(str(Path(aws_cli).absolute())), theirs)
        took = take_turns(
            {name: partial(_time, *way) for name, way in ways.items()}, rounds=ROUNDS
        )
    return _compare(took, " ".join(ways["aws"][0][1:3]) if "aws" in ways else "")


def _choose_words(aws_cli: str) -> tuple[str, ...]:
    ended = subprocess.run([aws_cli, "--version"], capture_output=True, check=True)
    is_new = b"aws-cli/2" in ended.stdout + ended.stderr
    return (aws_cli, *(EXPORT if is_new else SHOW))


def _build_warm(url: str, directory: Path) -> dict[str, str]:
    extra = {"role_arn": ROLE_ARN, "region_name": "eu-central-1"}
    login, password = KEYS.values()
    connection = {"login": login, "password": password, "extra": extra}
    return {
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection),
        "AWS_ENDPOINT_URL_STS": url,
        "BOTOCORE_CONN_STORE": str(directory),
    }


def _time(words: tuple[str, ...], environment: Mapping[str, str]) -> float:
    """Return the milliseconds from start to end."""
    start = time.perf_counter()
    subprocess.run(
        words, env=build_environment(environment), stdout=subprocess.DEVNULL, check=True
    )
    return (time.perf_counter() - start) * 1000


def _compare(took: Mapping[str, float], theirs: str) -> list[Row]:
    ours = took["ours"]
    rows = [
        compare_surplus(
            "credential-process, warm store",
            ours,
            against="python -c pass",
            theirs=took["bare"],
            unit="ms",
            limit=LIMIT_MS,
        ),
        compare_surplus(
            "exec -- true, warm store",
            took["exec"],
            against="python -c pass",
            theirs=took["bare"],
            unit="ms",
            limit=EXEC_LIMIT_MS,
        ),
    ]
    if "aws" in took:
        rows.append(
            compare_ratio(
                "the same",
                ours,
                against=f"aws {theirs}",
                theirs=took["aws"],
                unit="ms",
            )
        )
    return rows
