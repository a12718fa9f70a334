"""Each bridge with its library, at an S3 that refuses expired and foreign keys."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import boto3
import pyarrow
import pytest
from pyarrow import parquet

from botocore_conn_provider.cli.whoami.loopback_aws import LoopbackMachine
from botocore_conn_provider.cli.whoami.loopback_server import serve as serve_machine
from botocore_conn_provider.cli.whoami.marker_keys import MarkerKeys
from tests.aws import Fault, build_error
from tests.child import DEADLINE_SECONDS
from tests.engines.environment import lend_extensions
from tests.engines.guarded_s3 import EXPIRED, GuardedS3
from tests.loopback import LOOPBACK, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets

RUN = str(Path(__file__).parent / "readers" / "run_reader.py")
ROLE = "arn:aws:iam::123456789012:role/reader"
BRIDGED = (
    "awscrt",
    "daft",
    "duckdb",
    "lance",
    "obstore",
    "obstore_async",
    "polars",
    "pyarrow",
)
# Renewed after the half, and again and again while a test runs.
LIFE_SECONDS = 8
REFUSED = Fault(403, build_error("AccessDenied", "not you"))


class Reader:
    """A program that goes on reading by one engine."""

    def __init__(self, program: subprocess.Popen[str]) -> None:
        self._program = program
        self.errors = ""
        self.seen: list[dict[str, Any]] = []

    def read_until(self, wanted: str, *, most_seconds: float = 60) -> dict[str, Any]:
        """Return the next report that has the key."""
        ends = time.monotonic() + most_seconds
        while time.monotonic() < ends:
            report = self.read_next()
            if wanted in report:
                return report
        raise AssertionError(f"no {wanted} in {self.seen[-3:]}")

    def read_for(self, seconds: float) -> list[dict[str, Any]]:
        """Return the reports of the time from now on."""
        ends = time.monotonic() + seconds
        found = []
        while time.monotonic() < ends:
            found.append(self.read_next())
        return found

    def read_next(self) -> dict[str, Any]:
        assert self._program.stdout is not None
        line = self._program.stdout.readline()
        assert line, "the program has ended"
        report: dict[str, Any] = json.loads(line)
        self.seen.append(report)
        return report


class StartReader(Protocol):
    def __call__(self, name: str) -> contextlib.AbstractContextManager[Reader]: ...


@pytest.fixture
def s3(aws: Aws) -> Iterator[GuardedS3]:
    """A bucket with a table of three rows."""
    maker = boto3.client(
        "s3",
        "us-east-1",
        endpoint_url=aws.url,
        aws_access_key_id="AKIAMAKER",
        aws_secret_access_key="maker",
    )
    maker.create_bucket(Bucket="tables")
    table = io.BytesIO()
    parquet.write_table(pyarrow.table({"number": [1, 2, 3]}), table)
    maker.put_object(Bucket="tables", Key="numbers.parquet", Body=table.getvalue())
    guarded = GuardedS3(aws)
    with serve(guarded) as port:
        guarded.url = f"http://{LOOPBACK}:{port}"
        yield guarded


@pytest.fixture
def start_reader(
    aws: Aws, s3: GuardedS3, secrets: Secrets, leaks: Leaks, isolated: Path
) -> Iterator[StartReader]:
    """Start programs on a machine that has a role, in an environment with keys."""
    lend_extensions(isolated)
    connection = {
        "conn_type": "aws",
        "login": secrets.new_access_key_id(),
        "password": secrets.new("secret access key"),
        "extra": {
            "role_arn": ROLE,
            "region_name": "us-east-1",
            "endpoint_url": s3.url,
            "service_config": {"sts": {"endpoint_url": aws.url}},
        },
    }
    machine = LoopbackMachine(MarkerKeys.make(), MarkerKeys.make())
    with serve_machine(machine) as url:
        environment = {
            **os.environ,
            "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection),
            "AWS_ACCESS_KEY_ID": secrets.new_access_key_id(),
            "AWS_SECRET_ACCESS_KEY": secrets.new("foreign secret key"),
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": url,
            "AWS_METADATA_ENDPOINT": url,
            "AWS_EC2_METADATA_DISABLED": "false",
            "DO_NOT_TRACK": "true",
            "DAFT_ANALYTICS_ENABLED": "0",
        }

        @contextlib.contextmanager
        def start(name: str) -> Iterator[Reader]:
            with subprocess.Popen(
                [sys.executable, RUN, name],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ) as program:
                reader = Reader(program)
                try:
                    yield reader
                finally:
                    out, reader.errors = program.communicate(timeout=DEADLINE_SECONDS)
            leaks.check_text(reader.errors, place="standard error")
            leaks.check_text(f"{reader.seen}{out}", place="reports")

        yield start


def live(seconds: float) -> Fault:
    return Fault(expires_in_seconds=seconds)


@pytest.mark.parametrize("name", BRIDGED)
def test_bridge_reads_across_renewals_and_adds_no_call_of_sts(
    name: str, aws: Aws, s3: GuardedS3, start_reader: StartReader
) -> None:
    aws.inject(live(LIFE_SECONDS), times=100)
    with start_reader(name) as reader:
        reader.read_until("rows")
        began = time.monotonic()
        found = reader.read_for(2 * LIFE_SECONDS)
        took = time.monotonic() - began

    assert [each for each in found if "error" in each] == []
    assert s3.refusals == set()
    assert {str(each) for each in s3.key_ids} <= set(aws.issued)
    assert len(s3.key_ids) >= 3
    # A boto3 client would have asked as often: at the start, and after each half life.
    assert len(aws.issued) <= 2 + took / (LIFE_SECONDS / 2)


@pytest.mark.parametrize("name", BRIDGED)
def test_bridge_serves_to_the_end_while_the_source_refuses_and_recovers(
    name: str, aws: Aws, s3: GuardedS3, start_reader: StartReader
) -> None:
    aws.inject(live(LIFE_SECONDS))
    aws.inject(REFUSED, times=10_000)
    with start_reader(name) as reader:
        reader.read_until("rows")
        (ends_at,) = aws.issued.values()
        while time.time() < ends_at - 1:
            assert "rows" in reader.read_next()
        reader.read_until("error")
        aws.stop_faults()
        reader.read_until("rows")

    # Nothing was signed by anybody else; a library may have used what had just ended.
    assert {str(each) for each in s3.key_ids} <= set(aws.issued)
    assert s3.refusals <= {EXPIRED}


def test_bridge_of_polars_serves_delta_tables_too(
    aws: Aws, s3: GuardedS3, start_reader: StartReader
) -> None:
    with start_reader("polars_delta") as reader:
        assert reader.read_next() == {"rows": 3}

    assert s3.key_ids == list(aws.issued)


@pytest.mark.parametrize("name", [*BRIDGED, "polars_delta"])
def test_bridge_asks_nothing_of_s3_where_the_source_refuses(
    name: str, aws: Aws, s3: GuardedS3, start_reader: StartReader
) -> None:
    aws.inject(REFUSED, times=10_000)
    with start_reader(name) as reader:
        report = reader.read_until("error")

    assert s3.judged == []
    # awscrt's own error says nothing: Python prints ours.
    assert "not you" in (reader.errors if name == "awscrt" else report["error"])
