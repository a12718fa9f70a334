"""A Celery application whose broker is SQS. Run by itself it sends as many tasks as told."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import boto3
from celery import Celery

import botocore_conn_provider

# Before Celery forks the processes of its pool.
botocore_conn_provider.install("aws_jobs")

app = Celery("jobs", broker="sqs://")
app.conf.broker_transport_options = {
    "region": "us-east-1",
    "wait_time_seconds": 1,
    "polling_interval": 0.1,
}
app.conf.worker_hijack_root_logger = False


@app.task(name="read")  # type: ignore[untyped-decorator] # Celery's
def read(number: int) -> None:
    """Read from S3, and leave a note that names the process."""
    found = boto3.client("s3").get_object(Bucket="tables", Key="numbers.parquet")
    assert found["Body"].read()
    time.sleep(0.2)
    Path(os.environ["TEST_NOTES"], str(number)).write_text(str(os.getpid()))


if __name__ == "__main__":
    for each in range(int(sys.argv[1]), int(sys.argv[2])):
        read.delay(each)
