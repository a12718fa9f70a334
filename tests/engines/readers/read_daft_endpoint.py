"""daft without a bridge, by the endpoint."""

from __future__ import annotations

import botocore_conn_provider
from botocore_conn_provider import Connection

botocore_conn_provider.install(engines=True)

import daft  # noqa: E402 - after the endpoint is there
from daft.io import IOConfig, S3Config  # noqa: E402 - as above

place = str(Connection.from_env().extra["endpoint_url"])
settings = IOConfig(s3=S3Config(endpoint_url=place, region_name="us-east-1"))


def read() -> int:
    table = daft.read_parquet("s3://tables/numbers.parquet", io_config=settings)
    return len(table.to_pydict()["number"])
