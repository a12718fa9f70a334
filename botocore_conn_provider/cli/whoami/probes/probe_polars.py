"""Read a file with polars.

Only options that polars knows: with any other it leaves boto3 and looks by itself.
"""

from __future__ import annotations

import sys

import polars

options = {"aws_endpoint_url": sys.argv[1], "aws_region": "us-east-1"}
polars.scan_parquet("s3://whoami/x.parquet", storage_options=options).collect_schema()
