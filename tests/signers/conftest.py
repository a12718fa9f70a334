"""A machine that lends its identity to all who ask, and programs with a connection."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import boto3
import pytest

from tests.aws import Fault, build_error
from tests.connections import make_role
from tests.signers.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.aws import Aws
    from tests.child import Children, Ended
    from tests.leaks import Secrets
    from tests.ways import MetadataServer

ROOT = Path(__file__).parents[2]
ROLE = "arn:aws:iam::123456789012:role/reader"
# It is renewed after half of it: long enough for one request on a busy machine.
ONE_REQUEST_SECONDS = 10
# For threads that make requests until they have seen the renewal.
MANY_REQUESTS_SECONDS = 3
BEGIN = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "examples" / "signers")!r}]
from tests.signers.programs import *
"""


NEEDED = ("anthropic", "awswrangler", "kafka", "litellm", "opensearchpy", "ray")


class Machine(NamedTuple):
    """What the machine would lend: keys in the environment, and its role."""

    environment_keys: dict[str, str]
    metadata: dict[str, str]
    role_key_id: str


class Programs:
    """Run programs that have a connection with a role, on a machine with a role too."""

    def __init__(
        self,
        aws: Aws,
        service: Service,
        machine: Machine,
        run: Children,
        environ: Mapping[str, str],
    ) -> None:
        self.aws = aws
        self.machine = machine
        self.service = service
        self.environ = dict(environ)
        self._run = run

    def run(self, code: str, *, ends_in: float | None = None) -> str:
        """Run `code`, whose argument is the address of the service; return its output.

        Args:
            code: Python, which may use `look` of programs.py and import the examples.
            ends_in: How many seconds the first set that STS issues lives.
        """
        if ends_in is not None:
            self.aws.inject(Fault(expires_in_seconds=ends_in))
        ended = self._start(code)
        assert ended.returncode == 0, ended.stderr[-2000:]
        return ended.stdout

    def fail(self, code: str) -> str:
        """Run `code`, which raises; return the error as it is printed."""
        ended = self._start(code)
        assert ended.returncode == 1
        return ended.stderr

    def _start(self, code: str) -> Ended:
        return self._run(BEGIN + code, self.service.url, env=self.environ)

    @property
    def issued(self) -> list[str]:
        """The ids of the keys that STS has issued, in order."""
        return [each.access_key_id for each in self.aws.issued_keys]

    @property
    def roles(self) -> list[str]:
        """Those that STS was asked for."""
        return [each.parameters["RoleArn"] for each in self.aws.sts_requests]

    def break_connection(self) -> None:
        self.environ["AIRFLOW_CONN_AWS_DEFAULT"] = "aws://broken"

    def refuse(self) -> None:
        """Have STS refuse the connection's role from now on."""
        self.aws.inject(Fault(403, build_error("AccessDenied")), times=100)


@pytest.fixture(scope="session", autouse=True)
def _complete() -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    assert not missing, f"Missing: {', '.join(missing)}. Run: make test-signers"


@pytest.fixture
def machine(metadata_server: MetadataServer, secrets: Secrets) -> Machine:
    keys = {
        "AWS_ACCESS_KEY_ID": secrets.new_access_key_id(),
        "AWS_SECRET_ACCESS_KEY": secrets.new("the machine's secret key"),
        "AWS_SESSION_TOKEN": secrets.new_session_token(),
    }
    return Machine(keys, metadata_server.environment(), metadata_server.access_key_id)


@pytest.fixture
def service(aws: Aws) -> Iterator[Service]:
    put_table(aws)
    with Service(aws).serve() as running:
        yield running


def put_table(aws: Aws) -> None:
    """Put a table into S3, as somebody else."""
    s3 = boto3.client(
        "s3",
        "us-east-1",
        endpoint_url=aws.url,
        aws_access_key_id="AKIAOTHER",
        aws_secret_access_key="other",
    )
    s3.create_bucket(Bucket="tables")
    s3.put_object(Bucket="tables", Key="table.csv", Body=b"a\n1\n2\n")


@pytest.fixture
def programs(
    aws: Aws, service: Service, run_python: Children, machine: Machine, secrets: Secrets
) -> Programs:
    def write(role: str) -> str:
        more = {"role_arn": role, "endpoint_url": service.url}
        return json.dumps(make_role(aws, secrets, **more))

    environ = {
        "AIRFLOW_CONN_AWS_DEFAULT": write(ROLE),
        "AIRFLOW_CONN_OTHER": write("arn:aws:iam::123456789012:role/other"),
        **machine.metadata,
        # Where Ray is installed, awswrangler takes it unasked.
        "WR_ENGINE": "python",
        "WR_MEMORY_FORMAT": "pandas",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # or it asks GitHub for prices
    }
    return Programs(aws, service, machine, run_python, environ)
