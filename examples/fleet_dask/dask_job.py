"""A Dask job that reads Parquet from S3 for longer than one set of credentials lives.

Each worker's node has the connection `aws_lake`, for instance in the variable
AIRFLOW_CONN_AWS_LAKE. The driver needs none: it sends the name.

    python dask_job.py tcp://scheduler:8786 s3://my-bucket/numbers.parquet 7200
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from distributed import Client, as_completed

from botocore_conn_provider.fleet.dask import ConnectionPlugin

if TYPE_CHECKING:
    from collections.abc import Callable


def read_by_pandas(url: str) -> int:
    """Read as pandas does with s3fs, and so by aiobotocore."""
    import pandas as pd

    return len(pd.read_parquet(url, storage_options={"anon": False}))


def read_by_polars(url: str) -> int:
    """Read by polars, which has an S3 client of its own."""
    import polars as pl

    return int(pl.read_parquet(url).height)


def read_by_pyarrow(url: str) -> int:
    """Read by pyarrow, which has the AWS SDK for C++."""
    from pyarrow import parquet

    return int(parquet.read_table(url).num_rows)


READS = (read_by_pandas, read_by_polars, read_by_pyarrow)


def read_for(
    client: Client, url: str, seconds: float, *, report: Callable[[int], object]
) -> None:
    """Keep each thread of the cluster reading; report the rows of each task.

    Raises:
        Exception: That of the first task that fails.
    """
    ends_at = time.monotonic() + seconds
    threads = sum(client.nthreads().values())
    tasks = [
        client.submit(READS[number % len(READS)], url, pure=False)
        for number in range(threads)
    ]
    running = as_completed(tasks)
    for done, task in enumerate(running):
        report(task.result())
        if time.monotonic() < ends_at:
            running.add(client.submit(READS[done % len(READS)], url, pure=False))


def main() -> None:
    """Be the driver."""
    scheduler, url, seconds = sys.argv[1:]
    counts: list[int] = []
    with Client(scheduler) as client:
        client.register_plugin(ConnectionPlugin("aws_lake"))
        client.wait_for_workers(1)
        read_for(client, url, float(seconds), report=counts.append)
    print(f"{len(counts)} tasks have read {sum(counts)} rows; none has failed.")


if __name__ == "__main__":
    main()
