"""Read Parquet from S3 in Spark's Python workers, for longer than credentials live.

Each task reads again and again, by one of four libraries that find credentials by
themselves. Nothing here mentions a key: the workers have the connection by its name.

    pip install botocore-conn-provider pyspark pandas s3fs polars pyarrow
    export AIRFLOW_CONN_AWS_LAKE='{"conn_type": "aws", ...}'    # on each node
    python job.py s3://lake/orders.parquet --minutes 90
    python job.py s3://lake/orders.parquet --master spark://host:7077 --tasks 64
"""

from __future__ import annotations

import argparse
import os
import socket
import time
from typing import TYPE_CHECKING, NamedTuple

from pyspark.sql import SparkSession

from botocore_conn_provider.fleet import spark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

LIBRARIES = ("boto3", "s3fs", "polars", "pyarrow")
PAUSE_SECONDS = 1.0


class Report(NamedTuple):
    """What one task has done."""

    library: str
    place: str
    reads: int
    rows: int


def count_rows(library: str, place: str) -> int:
    """Read the file by a library, in the process of a Python worker."""
    bucket, _, key = place.removeprefix("s3://").partition("/")
    # Only where S3 is not AWS's: boto3 and s3fs have it from the connection.
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3")
    if library == "boto3":
        import io

        import boto3
        from pyarrow import parquet

        body = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return int(parquet.read_metadata(io.BytesIO(body)).num_rows)
    if library == "s3fs":
        import pandas as pd

        return len(pd.read_parquet(place))
    if library == "polars":
        import polars

        options = {"aws_endpoint_url": endpoint, "aws_allow_http": "true"}
        return len(
            polars.read_parquet(place, storage_options=options if endpoint else None)
        )
    from pyarrow import fs, parquet

    options = {"endpoint_override": endpoint} if endpoint else {}
    filesystem = fs.S3FileSystem(**options)
    return int(parquet.read_table(f"{bucket}/{key}", filesystem=filesystem).num_rows)


def make_task(
    place: str, seconds: float
) -> Callable[[Iterable[int]], Iterator[Report]]:
    """Return what each task runs."""

    def task(numbers: Iterable[int]) -> Iterator[Report]:
        for number in numbers:
            library = LIBRARIES[number % len(LIBRARIES)]
            ends_at, reads = time.monotonic() + seconds, 0
            while reads == 0 or time.monotonic() < ends_at:
                rows = count_rows(library, place)
                reads += 1
                time.sleep(PAUSE_SECONDS)
            where = f"{socket.gethostname()} {os.getpid()}"
            yield Report(library, where, reads, rows)

    return task


def main() -> None:
    """Run the job, and print what each task has done."""
    parser = argparse.ArgumentParser()
    parser.add_argument("place", help="s3://BUCKET/KEY of a Parquet file")
    parser.add_argument("--conn-id", default="aws_lake")
    parser.add_argument("--master", default="local[4]")
    parser.add_argument("--tasks", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=1)
    arguments = parser.parse_args()

    builder = SparkSession.builder.master(arguments.master).appName("fleet")
    session = spark.configure(builder, arguments.conn_id).getOrCreate()
    task = make_task(arguments.place, 60 * arguments.minutes)
    numbers = session.sparkContext.parallelize(range(arguments.tasks), arguments.tasks)
    for report in map(Report._make, numbers.mapPartitions(task).collect()):
        library, place, reads, rows = report
        print(f"{library:8} {place}: {reads} reads of {rows} rows")
    session.stop()


if __name__ == "__main__":
    main()
