"""lance without a bridge, by the endpoint. It writes the table that it reads."""

from __future__ import annotations

import functools

import botocore_conn_provider
from botocore_conn_provider import Connection

botocore_conn_provider.install(engines=True)

import lance  # noqa: E402 - after the endpoint is there
import pyarrow  # noqa: E402 - as above

options = {
    "aws_endpoint": str(Connection.from_env().extra["endpoint_url"]),
    "aws_region": "us-east-1",
    "allow_http": "true",
}


@functools.cache
def open_table() -> lance.LanceDataset:
    """Return the table, opened once."""
    numbers = pyarrow.table({"number": [1, 2, 3]})
    lance.write_dataset(numbers, "s3://tables/numbers.lance", storage_options=options)
    return lance.dataset("s3://tables/numbers.lance", storage_options=options)


def read() -> int:
    return int(open_table().to_table().num_rows)
