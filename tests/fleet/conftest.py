"""What a fleet's tests have in common: an S3 that judges, and machines with a role.

Nodes are on one machine here. What makes two of them is the store: each has its own.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
from typing import TYPE_CHECKING

import boto3
import pyarrow
import pytest
from pyarrow import parquet

from botocore_conn_provider.cli.whoami.loopback_aws import LoopbackMachine
from botocore_conn_provider.cli.whoami.loopback_server import serve as serve_machine
from botocore_conn_provider.cli.whoami.marker_keys import MarkerKeys
from tests.connections import make_role
from tests.engines.guarded_s3 import GuardedS3
from tests.fleet.reads import BUCKET, KEY
from tests.loopback import LOOPBACK, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.aws import Aws
    from tests.leaks import Secrets

NEEDED = ("distributed", "pandas", "polars", "s3fs")
LAKE = "AIRFLOW_CONN_AWS_LAKE"


@pytest.fixture(scope="session", autouse=True)
def _complete() -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    assert not missing, f"Missing: {', '.join(missing)}. Run: make test-fleet"


@pytest.fixture
def s3(aws: Aws) -> Iterator[GuardedS3]:
    """A bucket with a table of three rows; it takes sets of STS while they live."""
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
    guarded = GuardedS3(aws)
    with serve(guarded) as port:
        guarded.url = f"http://{LOOPBACK}:{port}"
        yield guarded


@pytest.fixture
def text(aws: Aws, s3: GuardedS3, secrets: Secrets) -> str:
    """The text of a connection with keys and a role."""
    more = {"region_name": "us-east-1", "endpoint_url": s3.url}
    return json.dumps(make_role(aws, secrets, **more))


@pytest.fixture
def machine(
    s3: GuardedS3, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """The environment of nodes that have a role and keys of their own, to be taken wrongly."""
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    with serve_machine(LoopbackMachine(MarkerKeys.make(), MarkerKeys.make())) as url:
        yield {
            **os.environ,
            "AWS_ACCESS_KEY_ID": secrets.new_access_key_id(),
            "AWS_SECRET_ACCESS_KEY": secrets.new("foreign secret key"),
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": url,
            "AWS_METADATA_ENDPOINT": url,
            "AWS_ENDPOINT_URL_S3": s3.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "TEST_S3_URL": s3.url,
        }
