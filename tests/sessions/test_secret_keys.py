"""A secret key of any text signs as the server that has it expects."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import pytest

import botocore_conn_provider
from botocore_conn_provider import Connection, InvalidConnectionError

if TYPE_CHECKING:
    from tests.leaks import Leaks, Secrets

KEY_ID = "minio-user"
REGION = "eu-west-1"


class StopHereError(Exception):
    """The request was looked at and need not be sent."""


def sign(secret_key: str, scope: str, to_sign: str) -> str:
    """Sign by AWS Signature Version 4, with nothing of botocore's."""
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, to_sign.encode(), "sha256").hexdigest()


def expect(request: Any, secret_key: str) -> str:
    """Return the signature that the server computes for a request without a query."""
    headers = {
        k.lower(): v if isinstance(v, str) else v.decode()
        for k, v in request.headers.items()
    }
    parts = dict(
        part.strip().split("=", 1)
        for part in headers["authorization"].partition(" ")[2].split(",")
    )
    names = parts["SignedHeaders"].split(";")
    canonical = "\n".join(
        [
            request.method,
            "/",
            "",
            *(f"{name}:{headers.get(name, 'server.test').strip()}" for name in names),
            "",
            parts["SignedHeaders"],
            headers["x-amz-content-sha256"],
        ]
    )
    scope = parts["Credential"].partition("/")[2]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{digest}"
    assert parts["Credential"].startswith(f"{KEY_ID}/")
    assert parts["Signature"] == sign(secret_key, scope, to_sign)
    return parts["Signature"]


@pytest.mark.parametrize(
    "text", ["{}", "pass {} phrase", "{}é€", "{}'\"+/%@:\\", "{}😀"]
)
@pytest.mark.parametrize("as_uri", [False, True])
def test_any_text_signs_as_the_server_expects(
    text: str,
    as_uri: bool,  # noqa: FBT001 - a case
    secrets: Secrets,
    leaks: Leaks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret_key = text.format(secrets.new("secret key"))
    record = {"login": KEY_ID, "password": secret_key, "extra": {"region_name": REGION}}
    written = Connection.parse(json.dumps(record))
    connection = written.to_uri() if as_uri else written.to_json()
    monkeypatch.setenv("AIRFLOW_CONN_AWS_MINIO", connection)
    session = botocore_conn_provider.session("aws_minio")
    client = session.client("s3", endpoint_url="http://server.test")
    seen: list[str] = []

    def look(request: Any, **_: Any) -> None:
        seen.append(expect(request, secret_key))
        raise StopHereError

    client.meta.events.register("before-send.s3", look)
    with leaks.user_calls(), pytest.raises(StopHereError):
        client.list_buckets()
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("s3v5", "Did you mean 's3v4'?"),
        ("S3V4", "Did you mean 's3v4'?"),
        ("nonsense", "Write s3v4, v4 or unsigned."),
    ],
)
def test_signature_version_that_botocore_does_not_know_is_refused_with_the_field(
    name: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = {"extra": {"config_kwargs": {"signature_version": name}}}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_MINIO", json.dumps(record))
    with pytest.raises(InvalidConnectionError) as caught:
        botocore_conn_provider.session("aws_minio")
    shown = str(caught.value)
    assert shown.startswith(
        "Connection 'aws_minio' (AIRFLOW_CONN_AWS_MINIO):"
        " 'config_kwargs.signature_version' is text"
    )
    assert said in shown


@pytest.mark.parametrize("name", ["s3", "s3v4", "v2", "v4", "unsigned", "UNSIGNED"])
def test_signature_versions_of_botocore_are_taken(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = {"extra": {"config_kwargs": {"signature_version": name}}}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_MINIO", json.dumps(record))
    assert botocore_conn_provider.session("aws_minio").client("sqs", REGION)
