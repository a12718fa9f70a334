"""Read a file with polars and an option that it does not know, as many need one."""

from __future__ import annotations

import sys

import polars

options = {
    "aws_endpoint_url": sys.argv[1],
    "aws_region": "us-east-1",
    "aws_allow_http": "true",
}
polars.scan_parquet("s3://whoami/x.parquet", storage_options=options).collect_schema()
