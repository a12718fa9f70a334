"""What Ray's workers do in the tests. They import this from the checkout."""

from __future__ import annotations

import importlib
import os
import sys
import time
from typing import Any

# As in `machine`, which needs more than a worker of Ray has to load.
BUCKET, KEY = "tables", "numbers.parquet"
URL = f"s3://{BUCKET}/{KEY}"


def read_by_boto3() -> int:
    import boto3

    return len(boto3.client("s3").get_object(Bucket=BUCKET, Key=KEY)["Body"].read())


def read_after(seconds: float) -> int:
    time.sleep(seconds)
    return read_by_boto3()


def read_by_pandas() -> int:
    import pandas

    return len(pandas.read_parquet(URL))


def read_by_polars() -> int:
    import polars

    endpoint = {"aws_endpoint_url": os.environ["TEST_S3_URL"]}
    return int(polars.read_parquet(URL, storage_options=endpoint).height)


def read_by_pyarrow() -> int:
    from pyarrow import fs, parquet

    files = fs.S3FileSystem(endpoint_override=os.environ["TEST_S3_URL"])
    table = parquet.read_table(f"{BUCKET}/{KEY}", filesystem=files)
    return int(table.num_rows)


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
