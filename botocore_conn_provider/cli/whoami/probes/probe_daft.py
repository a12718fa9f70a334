"""Read a file with daft."""

from __future__ import annotations

import sys

import daft
from daft.io import IOConfig, S3Config

settings = S3Config(endpoint_url=sys.argv[1], region_name="us-east-1", use_ssl=False)
daft.read_parquet("s3://whoami/x.parquet", io_config=IOConfig(s3=settings)).schema()
