"""A web identity connection through install(): what AWS is sent, and from whom."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import botocore_conn_provider
from botocore_conn_provider.errors import StsExchangeError, WebIdentityTokenError
from tests.aws import Fault, build_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets

ROLE = "arn:aws:iam::123456789012:role/federated"


@pytest.fixture(autouse=True)
def _uninstalled(leaks: Leaks) -> Iterator[None]:
    with leaks.user_calls():
        yield
    botocore_conn_provider.uninstall()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    return tmp_path / "token"


@pytest.fixture
def call(
    aws: Aws, secrets: Secrets, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Any]:
    """Return a program that asks who it is, beside ambient keys it must not use."""
    extra = {
        "region_name": "eu-west-1",
        "role_arn": ROLE,
        "assume_role_method": "assume_role_with_web_identity",
        "assume_role_with_web_identity_federation": "file",
        "assume_role_with_web_identity_token_file": str(token_file),
        "service_config": {"sts": {"endpoint_url": aws.url}},
        # A file that is not there is waited for, by default for 30 s.
        "botocore_conn_provider": {"sign_in_deadline_seconds": 3},
    }
    connection = json.dumps({"conn_type": "aws", "extra": extra})
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", connection)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", secrets.new_access_key_id())
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secrets.new("ambient secret"))

    def program() -> Any:
        botocore_conn_provider.install()
        return boto3.Session().client("sts").get_caller_identity()

    return program


def test_token_of_the_file_is_exchanged_without_keys(
    call: Callable[[], Any], aws: Aws, secrets: Secrets, token_file: Path
) -> None:
    token = secrets.new("opaque token")
    token_file.write_text(f"{token}\n")

    arn = call()["Arn"]

    exchange, identity = aws.requests
    assert exchange.action == "AssumeRoleWithWebIdentity"
    assert exchange.access_key_id is None
    assert exchange.parameters["RoleArn"] == ROLE
    assert exchange.parameters["WebIdentityToken"] == token
    assert exchange.parameters["RoleSessionName"].startswith("botocore-session-")
    assert identity.action == "GetCallerIdentity"
    assert "issued AccessKeyId" in secrets.find_in(identity.access_key_id or "")
    assert ":assumed-role/federated/botocore-session-" in arn


def test_unknown_profile_of_the_environment_does_not_break_it(
    call: Callable[[], Any], token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "gone")
    token_file.write_text("opaque-token")

    assert ":assumed-role/federated/" in call()["Arn"]


def test_missing_token_file_is_told_and_nothing_is_sent(
    call: Callable[[], Any], aws: Aws, leaks: Leaks
) -> None:
    began = time.monotonic()
    with pytest.raises(WebIdentityTokenError, match="aws_default") as caught:
        call()

    assert time.monotonic() - began < 15  # not the deadline of 30 s
    leaks.check_error(caught.value)
    assert aws.requests == []


def test_refusal_of_sts_ends_there_with_no_other_identity(
    call: Callable[[], Any], aws: Aws, secrets: Secrets, token_file: Path
) -> None:
    token_file.write_text(secrets.new("opaque token"))
    aws.inject(Fault(400, build_error("InvalidIdentityToken")))

    with pytest.raises(StsExchangeError, match="InvalidIdentityToken"):
        call()

    assert [each.action for each in aws.requests] == ["AssumeRoleWithWebIdentity"]


def test_two_sessions_share_one_exchange(
    call: Callable[[], Any], aws: Aws, token_file: Path
) -> None:
    token_file.write_text("opaque-token")

    call()
    call()

    actions = [each.action for each in aws.requests]
    assert actions.count("AssumeRoleWithWebIdentity") == 1
