"""polars without a bridge: it asks boto3, as long as it knows all options."""

from __future__ import annotations

import os

import polars

import botocore_conn_provider
from botocore_conn_provider import Connection

botocore_conn_provider.install()
os.environ["AWS_ALLOW_HTTP"] = "true"
options = {
    "aws_endpoint_url": str(Connection.from_env().extra["endpoint_url"]),
    "aws_region": "us-east-1",
}


def read() -> int:
    frame = polars.scan_parquet("s3://tables/numbers.parquet", storage_options=options)
    return int(frame.collect().height)
