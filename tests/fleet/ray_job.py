"""A driver that is submitted as a job: it reads, and has a task and Ray Data read."""

from __future__ import annotations

import os

import ray
import ray.data
from pyarrow import fs

from tests.fleet.ray_tasks import BUCKET, KEY, read_by_boto3

ray.init()
assert read_by_boto3() == ray.get(ray.remote(read_by_boto3).remote())
files = fs.S3FileSystem(endpoint_override=os.environ["TEST_S3_URL"])
rows = ray.data.read_parquet(f"{BUCKET}/{KEY}", filesystem=files).count()
print(f"driver and task have read, and Ray Data {rows} rows")  # noqa: T201
