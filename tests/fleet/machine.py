"""A machine with a role and keys of its own, on which servers of several processes run."""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.cli.whoami.loopback_aws import LoopbackMachine
from botocore_conn_provider.cli.whoami.loopback_server import serve as serve_machine
from botocore_conn_provider.cli.whoami.marker_keys import MarkerKeys
from tests.connections import make_role
from tests.engines.guarded_s3 import GuardedS3
from tests.loopback import LOOPBACK, serve
from tests.tables import put_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Secrets

DEADLINE_SECONDS = 90
PAUSE_SECONDS = 0.1


@contextlib.contextmanager
def serve_table(aws: Aws) -> Iterator[GuardedS3]:
    """Serve a bucket with a table of three rows."""
    put_numbers(aws)
    guarded = GuardedS3(aws)
    with serve(guarded) as port:
        guarded.url = f"http://{LOOPBACK}:{port}"
        yield guarded


@contextlib.contextmanager
def run_machine(s3: GuardedS3, secrets: Secrets) -> Iterator[dict[str, str]]:
    """Yield the environment of a machine that has a role and keys."""
    with serve_machine(LoopbackMachine(MarkerKeys.make(), MarkerKeys.make())) as url:
        environment = {
            **os.environ,
            "AWS_ACCESS_KEY_ID": secrets.new_access_key_id(),
            "AWS_SECRET_ACCESS_KEY": secrets.new("foreign secret key"),
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": url,
            "AWS_METADATA_ENDPOINT": url,
            "AWS_ENDPOINT_URL_S3": s3.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "TEST_S3_URL": s3.url,
        }
        environment.pop("AWS_EC2_METADATA_DISABLED", None)
        yield environment


def wait_until(is_so: Callable[[], bool], *, log: Path | None = None) -> None:
    ends = time.monotonic() + DEADLINE_SECONDS
    while not is_so():
        seen = log.read_text()[-3000:] if log and log.exists() else ""
        assert time.monotonic() < ends, seen
        time.sleep(PAUSE_SECONDS)


def make_text(aws: Aws, secrets: Secrets, s3: GuardedS3, **settings: Any) -> str:
    """Return the text of a connection with a role, whose S3 is the one that guards."""
    role = make_role(
        aws,
        secrets,
        region_name="us-east-1",
        endpoint_url=s3.url,
        botocore_conn_provider=settings,
    )
    return json.dumps(role)
