"""A table in S3, put there by somebody else than who is tested."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import boto3
import pyarrow
from pyarrow import parquet

if TYPE_CHECKING:
    from tests.aws import Aws

BUCKET, KEY = "tables", "numbers.parquet"


def put_numbers(aws: Aws) -> None:
    """Put a table of three rows into a bucket of its own."""
    maker = boto3.client(
        "s3",
        "us-east-1",
        endpoint_url=aws.url,
        aws_access_key_id="AKIAMAKER",
        aws_secret_access_key="maker",
    )
    maker.create_bucket(Bucket=BUCKET)
    table = io.BytesIO()
    parquet.write_table(pyarrow.table({"number": [1, 2, 3]}), table)
    maker.put_object(Bucket=BUCKET, Key=KEY, Body=table.getvalue())
