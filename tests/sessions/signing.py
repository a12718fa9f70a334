"""A program that signs URLs with a connection's role."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

import botocore_conn_provider
from botocore_conn_provider.sessions import presigned_urls
from tests.aws import Fault, build_error
from tests.sessions.program import KEYED, ROLE

if TYPE_CHECKING:
    import pytest

    from tests.aws import AwsRequest
    from tests.leaks import Leaks
    from tests.sessions.program import Program

HOUR, WEEK = 3600, 7 * 24 * 3600
OBJECT = {"Bucket": "b", "Key": "k"}
LOGGER = presigned_urls.__name__
DENIED = Fault(status=403, body=build_error("AccessDenied"))


def hold(credentials: Any, *, age: float) -> None:
    """Put the beginning of the credentials in memory back; they end when they say."""
    state = credentials.keeper.settled.state
    held = state.held
    state.held = held._replace(obtained_at=held.obtained_at - age)


def watch_waits(credentials: Any, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Have callers wait for a renewal now; return until when each goes on to wait."""
    keeper, ends = credentials.keeper.settled, []
    left = keeper._elapsed() + 1
    keeper.state.held = keeper.state.held._replace(
        renew_at=0, wait_at=0, ends_at=left, serve_until=left
    )
    plan = keeper.plan_wait

    def watch(before: Any = None) -> Any:
        planned = plan(before)
        ends.append(planned.leaves_at)
        return planned

    monkeypatch.setattr(keeper, "plan_wait", watch)
    return ends


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was said of URLs; none of it is less than a WARNING."""
    return [
        f"{each.levelname} {each.getMessage()}"
        for each in caplog.records
        if each.name == LOGGER
    ]


def make_s3(session: Any, **more: Any) -> Any:
    """Return a client of S3 that signs as S3 wants it today."""
    make = getattr(session, "client", None) or session.create_client
    return make("s3", config=Config(signature_version="s3v4", **more))


class Signing:
    """A program, its connection, and what AWS saw of its URLs."""

    def __init__(self, program: Program, leaks: Leaks) -> None:
        self.program = program
        self.leaks = leaks
        self.aws = program.world.aws

    def arrange(self, **own: Any) -> Any:
        """Give the connection, with settings of ours; return a session of boto3's."""
        self.program.arrange(self.write(**own))
        botocore_conn_provider.install()
        return boto3.Session()

    def write(self, **own: Any) -> dict[str, Any]:
        """Return a connection to a role."""
        extra: dict[str, Any] = {"role_arn": ROLE, "endpoint_url": "@AWS@"}
        return {**KEYED, "extra": {**extra, "botocore_conn_provider": own}}

    def hold(self, session: Any, *, age: float, left: float) -> str:
        """Have the session hold credentials of that age; return their key id."""
        self.aws.inject(Fault(expires_in_seconds=left))
        credentials = session.get_credentials()
        first = credentials.get_frozen_credentials().access_key
        hold(credentials, age=age)
        return str(first)

    def count(self) -> int:
        """Return how many exchanges there were."""
        return [each.action for each in self.aws.requests].count("AssumeRole")

    def use(self, url: str) -> AwsRequest:
        """Ask for the URL, and return what AWS saw."""
        try:
            urllib.request.urlopen(url).close()  # noqa: S310 - loopback
        except urllib.error.HTTPError as error:
            error.close()  # what the bucket has is no matter
        return self.aws.requests[-1]
