"""What workers do in the tests: read a table, each by another library."""

from __future__ import annotations

import contextlib
import os
import time
from typing import Any

BUCKET, KEY = "tables", "numbers.parquet"
URL = f"s3://{BUCKET}/{KEY}"


def read_by_boto3() -> int:
    import boto3

    found = boto3.client("s3").get_object(Bucket=BUCKET, Key=KEY)
    return len(found["Body"].read())


def read_for(seconds: float, *, pause_seconds: float = 0.2) -> int:
    """Read again and again with one client; return how often."""
    import boto3

    s3 = boto3.client("s3")
    ends_at, count = time.monotonic() + seconds, 0
    while time.monotonic() < ends_at:
        s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
        time.sleep(pause_seconds)
        count += 1
    return count


def read_by_pandas() -> int:
    """Read by s3fs: without options, pandas takes pyarrow."""
    import pandas

    return len(pandas.read_parquet(URL, storage_options={"anon": False}))


def read_by_polars() -> int:
    import polars

    endpoint = {"aws_endpoint_url": os.environ["TEST_S3_URL"]}
    return int(polars.read_parquet(URL, storage_options=endpoint).height)


def read_by_pyarrow() -> int:
    from pyarrow import fs, parquet

    files = fs.S3FileSystem(endpoint_override=os.environ["TEST_S3_URL"])
    table = parquet.read_table(f"{BUCKET}/{KEY}", filesystem=files)
    return int(table.num_rows)


TABLES = {
    "pandas": read_by_pandas,
    "polars": read_by_polars,
    "pyarrow": read_by_pyarrow,
}


async def read_in_a_coroutine() -> int:
    return read_by_boto3()


class Reader:
    """An actor with a client of its own, and each way in which Dask asks an actor."""

    def __init__(self) -> None:
        import boto3

        self._s3 = boto3.client("s3")

    def _read(self) -> int:
        found = self._s3.get_object(Bucket=BUCKET, Key=KEY)
        return len(found["Body"].read())

    def read(self) -> int:
        return self._read()

    async def read_in_a_coroutine(self) -> int:
        return self._read()

    @property
    def length(self) -> int:
        return self._read()


def keep_client() -> int:
    """Read with a client that this worker keeps, and return the worker's process id."""
    import boto3
    from botocore.exceptions import ClientError

    kept: Any = boto3
    if not hasattr(kept, "test_client"):
        kept.test_client = boto3.client("s3")
    with contextlib.suppress(ClientError):  # of the node's key
        kept.test_client.get_object(Bucket=BUCKET, Key=KEY)
    return os.getpid()
