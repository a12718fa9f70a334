"""Programs that have a connection, and who signed what in them."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.aws import Aws
    from tests.child import Children, Ended
    from tests.leaks import Secrets

ROLE = "arn:aws:iam::123456789012:role/reader"
# What each program of a test begins with. `start_engine` runs a program that has no more
# than boto3 and the environment; `use` has this very process sign a request.
PRELUDE = """
    import json, os, subprocess, sys
    AWS = os.environ["TEST_AWS"]
    ASK = (
        "import boto3, os;"
        "boto3.client('s3', endpoint_url=os.environ['TEST_AWS'],"
        " region_name='eu-west-1').list_buckets()"
    )

    def start_engine(**more):
        ended = subprocess.run(
            [sys.executable, "-c", ASK], capture_output=True, text=True, **more
        )
        print(ended.stderr.strip().splitlines()[-1] if ended.returncode else "signed")

    def use(session):
        session.client("s3", endpoint_url=AWS, region_name="eu-west-1").list_buckets()
"""


class World:
    """Runs programs that have a connection, and tells who signed what."""

    def __init__(self, run_python: Children, aws: Aws, secrets: Secrets) -> None:
        self._run = run_python
        self._aws = aws
        self.secret = secrets.new("secret key of the connection")
        self.key_id = secrets.new_access_key_id()

    def connect(self, *, with_keys: bool = True, **extra: Any) -> str:
        """Return a connection."""
        keys = {"login": self.key_id, "password": self.secret} if with_keys else {}
        return json.dumps({"conn_type": "aws", **keys, "extra": extra})

    def assume(self, *, with_keys: bool = True, **extra: Any) -> str:
        """Return a connection with a role."""
        return self.connect(
            with_keys=with_keys,
            role_arn=ROLE,
            region_name="eu-west-1",
            service_config={"sts": {"endpoint_url": self._aws.url}},
            **extra,
        )

    def run(
        self, code: str, connection: str, env: Mapping[str, str | None] | None = None
    ) -> Ended:
        """Run a program to its end."""
        given = {
            "AIRFLOW_CONN_AWS_DEFAULT": connection,
            "TEST_AWS": self._aws.url,
            **(env or {}),
        }
        ended = self._run(join(PRELUDE, code), env=given)
        assert ended.returncode == 0, ended.stderr
        return ended

    @property
    def signers(self) -> list[str | None]:
        """The keys that requests to S3 were signed with, in their order."""
        return [each.access_key_id for each in self._aws.requests if not each.is_sts]

    @property
    def exchanges(self) -> list[str | None]:
        """The keys that asked STS."""
        return [each.access_key_id for each in self._aws.sts_requests]


def join(*parts: str) -> str:
    return "\n".join(textwrap.dedent(part) for part in parts)


INSTALL = """
    import botocore_conn_provider
    botocore_conn_provider.install(engines=True)
"""
