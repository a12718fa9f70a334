"""The longest creation of a client beside a source of credentials that hangs."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

import botocore_conn_provider
from benchmarks.row import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HANGS_SECONDS = 3
LIMIT_MS = 500
ROLE = "arn:aws:iam::123456789012:role/reader"
PROGRAM = f"""
import time
time.sleep({HANGS_SECONDS})
print('{{"Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": "s"}}')
"""
PROFILE = f"""
[profile base]
credential_process = {sys.executable} @PROGRAM@
[profile role]
role_arn = {ROLE}
source_profile = base
region = eu-west-1
"""
CONNECTION = f"aws://?role_arn={ROLE}&profile_name=base&region_name=eu-west-1"
KEYS = {"aws_access_key_id": "AKIAEXPLICIT", "aws_secret_access_key": "explicit"}


def measure() -> list[Row]:
    """Make clients that need the hanging source, and one with keys of its own."""
    with _environment():
        theirs = _find_longest(lambda: boto3.Session(profile_name="role"))
        botocore_conn_provider.install()
        try:
            ours = _find_longest(boto3.Session)
        finally:
            botocore_conn_provider.uninstall()
    return [
        Row(
            what=f"longest client creation beside a source of {HANGS_SECONDS} s",
            ours=f"{ours * 1000:.0f} ms",
            against="a profile with the same role",
            theirs=f"{theirs * 1000:.0f} ms",
            result=f"{ours / theirs:.4f} x",
            limit=f"≤ {LIMIT_MS} ms",
            holds=ours * 1000 <= LIMIT_MS,
        )
    ]


@contextmanager
def _environment() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as directory:
        program, path = Path(directory) / "program.py", Path(directory) / "config"
        program.write_text(PROGRAM)
        path.write_text(PROFILE.replace("@PROGRAM@", str(program)))
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": directory,
            "AWS_CONFIG_FILE": str(path),
            "AIRFLOW_CONN_AWS_DEFAULT": CONNECTION,
        }
        before = dict(os.environ)
        os.environ.clear()
        os.environ.update(environ)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _find_longest(create: Callable[[], boto3.Session]) -> float:
    """Return the seconds of the longest of two creations on one session."""
    session: Any = create()
    session.client("sts", region_name="eu-west-1", **KEYS)  # warms the models
    took: list[float] = []

    def time_creation(**arguments: str) -> None:
        began = time.perf_counter()
        session.client("sts", region_name="eu-west-1", **arguments)
        took.append(time.perf_counter() - began)

    needing = threading.Thread(target=time_creation)
    needing.start()
    time.sleep(0.1)
    time_creation(**KEYS)
    needing.join()
    return max(took)
