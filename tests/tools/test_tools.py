"""Users' tools, unchanged, active by environment. They run in `.venv-tools`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

import botocore_conn_provider
from tests.connections import make_role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.aws import Aws
    from tests.leaks import Secrets

    Run = Callable[..., str]

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
AUTOLOAD = Path(botocore_conn_provider.__file__).parent / "startup" / "autoload"
BIN = Path(sys.executable).parent
BUCKET = "tables"


@pytest.fixture
def environment(aws: Aws, secrets: Secrets) -> dict[str, str]:
    """Return the variables that activate a connection with a role."""
    connection = make_role(aws, secrets, region_name="us-east-1", endpoint_url=aws.url)
    return {
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection),
        "PYTHONPATH": str(AUTOLOAD),
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    }


@pytest.fixture
def run(environment: Mapping[str, str], tmp_path: Path) -> Run:
    """Run a command under activation; return what it prints."""

    def run(*command: str | Path, env: Mapping[str, str] | None = None) -> str:
        ended = subprocess.run(
            [str(word) for word in command],
            env={**os.environ, **environment, **(env or {})},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    return run


@pytest.fixture
def bucket(aws: Aws) -> str:
    """Make a bucket, as somebody else."""
    s3 = boto3.client(
        "s3",
        "us-east-1",
        endpoint_url=aws.url,
        aws_access_key_id="AKIAOTHER",
        aws_secret_access_key="other",
    )
    s3.create_bucket(Bucket=BUCKET)
    return BUCKET


def list_signers(aws: Aws) -> set[str]:
    """Return how the key ids begin that S3 was asked with, but for the maker's."""
    keys = {r.access_key_id or "" for r in aws.requests if r.service == "s3"}
    return {key[:4] for key in keys if key != "AKIAOTHER"}


def test_aws_cli_has_the_connections_identity(aws: Aws, bucket: str, run: Run) -> None:
    shown = run(EXAMPLES / "aws_cli" / "who_am_i.sh").splitlines()
    assert "assumed-role/reader" in shown[0]
    assert shown[1].endswith(bucket)
    assert list_signers(aws) == {"ASIA"}


def test_aws_cli_with_a_profile_has_that_profile(
    aws: Aws, bucket: str, run: Run, isolated: Path
) -> None:
    text = "[mine]\naws_access_key_id = AKIAMINE\naws_secret_access_key = x\n"
    (isolated / ".aws" / "credentials").write_text(text)
    env = {"AWS_ENDPOINT_URL": aws.url, "AWS_DEFAULT_REGION": "us-east-1"}
    script = EXAMPLES / "aws_cli" / "who_am_i.sh"
    assert bucket in run(script, "--profile", "mine", env=env)
    assert list_signers(aws) == {"AKIA"}
    assert not any(r.action == "AssumeRole" for r in aws.requests)


def test_pandas_reads_and_writes_through_s3fs(aws: Aws, bucket: str, run: Run) -> None:
    program = EXAMPLES / "pandas" / "table.py"
    assert run(sys.executable, program, f"s3://{bucket}/table.csv") == "851"
    assert list_signers(aws) == {"ASIA"}
    assert len([r for r in aws.requests if r.action == "AssumeRole"]) == 1


def test_aioboto3_writes_and_reads(aws: Aws, bucket: str, run: Run) -> None:
    program = EXAMPLES / "aioboto3" / "upload.py"
    assert run(sys.executable, program, bucket) == "hello"
    assert list_signers(aws) == {"ASIA"}
    assert len([r for r in aws.requests if r.action == "AssumeRole"]) == 1
