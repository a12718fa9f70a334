"""deltalake, by the endpoint. It writes the table that it reads, and opens it once."""

from __future__ import annotations

import functools

import botocore_conn_provider
from botocore_conn_provider import Connection

botocore_conn_provider.install(engines=True)

import pyarrow  # noqa: E402 - after the endpoint is there
from deltalake import DeltaTable, write_deltalake  # noqa: E402 - as above

options = {
    "aws_endpoint_url": str(Connection.from_env().extra["endpoint_url"]),
    "aws_region": "us-east-1",
    "aws_allow_http": "true",
}


@functools.cache
def open_table() -> DeltaTable:
    """Return the table."""
    numbers = pyarrow.table({"number": [1, 2, 3]})
    write_deltalake("s3://tables/delta", numbers, storage_options=options)
    return DeltaTable("s3://tables/delta", storage_options=options)


def read() -> int:
    table = open_table()
    table.update_incremental()
    return int(table.to_pyarrow_table().num_rows)
