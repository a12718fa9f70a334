"""Read a table from S3 on Ray's workers for hours, longer than credentials live.

Each node needs this package and the connection in its environment, before `ray start`:

    export AIRFLOW_CONN_AWS_LAKE='{"conn_type": "aws", "login": ..., ...}'

The driver needs neither keys nor the connection, only its name:

    python read_table.py aws_lake s3://my-bucket/table.parquet 7200

A fourth argument is the URL of an S3 that is not Amazon's, for polars and pyarrow, which
know nothing of a connection but its keys.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

import ray

from botocore_conn_provider.fleet.ray import runtime_env

conn_id, table, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
endpoint = sys.argv[4] if len(sys.argv) > 4 else None  # noqa: PLR2004


@ray.remote
def read_by_pandas() -> tuple[str, int]:
    """Read through s3fs, whose requests aiobotocore signs."""
    import pandas as pd
    import s3fs

    with s3fs.S3FileSystem().open(table) as file:
        return "pandas", len(pd.read_parquet(file))


@ray.remote
def read_by_polars() -> tuple[str, int]:
    """Read by polars, which finds credentials by itself."""
    import polars as pl

    options = {"aws_endpoint_url": endpoint} if endpoint else None
    return "polars", pl.read_parquet(table, storage_options=options).height


@ray.remote
def read_by_pyarrow() -> tuple[str, int]:
    """Read by pyarrow, which finds credentials by itself."""
    from pyarrow import fs, parquet

    place = table.removeprefix("s3://")
    files = fs.S3FileSystem(endpoint_override=endpoint)
    return "pyarrow", parquet.read_table(place, filesystem=files).num_rows


ray.init(runtime_env=runtime_env(conn_id))
reads: Counter[str] = Counter()
ends = time.monotonic() + seconds
while time.monotonic() < ends:
    tasks = [read_by_pandas, read_by_polars, read_by_pyarrow]
    for library, rows in ray.get([task.remote() for task in tasks]):
        reads[f"{library}: {rows} rows"] += 1
for what, count in reads.items():
    print(f"{what}, {count} times")
