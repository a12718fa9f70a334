"""boto3, as it is."""

from __future__ import annotations

import boto3

import botocore_conn_provider

botocore_conn_provider.install()
s3 = boto3.client("s3")


def read() -> int:
    return len(s3.list_objects_v2(Bucket="tables")["Contents"])
