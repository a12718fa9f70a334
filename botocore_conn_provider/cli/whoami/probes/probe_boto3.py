"""List a bucket with boto3, as a program does that names no credentials."""

from __future__ import annotations

import sys

import boto3

s3 = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1")
s3.list_objects_v2(Bucket="whoami")
