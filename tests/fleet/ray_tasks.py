"""What Ray's workers do in the tests. They import this from the checkout."""

from __future__ import annotations

import importlib
import os
import sys
import time
from typing import Any

from tests.fleet.reads import (
    BUCKET,
    KEY,
    URL,
    read_by_boto3,
    read_by_polars,
    read_by_pyarrow,
)

__all__ = [
    "BUCKET",
    "KEY",
    "read_by_boto3",
    "read_by_polars",
    "read_by_pyarrow",
]


def read_after(seconds: float) -> int:
    time.sleep(seconds)
    return read_by_boto3()


def read_by_pandas() -> int:
    """Read as pandas does without options: by pyarrow."""
    import pandas

    return len(pandas.read_parquet(URL))


def find_process() -> int:
    return os.getpid()


def list_loaded() -> list[str]:
    """Return which of the modules that cost time this process has loaded."""
    costly = ("boto3", "botocore", "botocore.session", "polars", "pyarrow")
    return [name for name in costly if name in sys.modules]


def read_environment(*names: str) -> list[str | None]:
    return [os.environ.get(name) for name in names]


def run_program(code: str) -> str:
    """Run a Python program from this worker."""
    import subprocess

    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return ended.stdout + ended.stderr


def note_own_hook() -> None:
    """Be a hook of the user's own."""
    os.environ["TEST_OWN_HOOK"] = str(os.environ.get("BOTOCORE_CONN_ID"))


class Reader:
    """An actor that keeps a client, as a job that runs for long does."""

    def __init__(self) -> None:
        boto3: Any = importlib.import_module("boto3")
        self._s3 = boto3.client("s3")

    def find_process(self) -> int:
        return os.getpid()

    def read(self) -> int:
        found = self._s3.get_object(Bucket=BUCKET, Key=KEY)
        return len(found["Body"].read())
