"""An exchange is made for whom the flow has identified, whatever the files say by then."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from botocore_conn_provider.connection.environment import Snapshot
from botocore_conn_provider.connection.record import Connection
from botocore_conn_provider.errors import WebIdentityTokenError
from botocore_conn_provider.exchange.flows import create_flow
from botocore_conn_provider.exchange.session_view import SessionView

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets

FIRST = "arn:aws:iam::123456789012:role/first"
SECOND = "arn:aws:iam::123456789012:role/second"
CONNECTIONS: dict[str, dict[str, Any]] = {
    "profile with a role": {"profile_name": "hop"},
    "role from a profile": {"profile_name": "base", "role_arn": SECOND},
}
TOKEN_FILE = {
    "role_arn": SECOND,
    "assume_role_method": "assume_role_with_web_identity",
    "assume_role_with_web_identity_federation": "file",
    "assume_role_with_web_identity_token_file": "~/token",
}


@pytest.fixture
def be(aws: Aws, isolated: Path, secrets: Secrets) -> Callable[[str], str]:
    """Return what writes the files of a tenant and returns the key in them."""
    keys = {name: secrets.new_access_key_id() for name in ("alice", "bob")}
    (isolated / ".aws" / "config").write_text(
        f"[profile hop]\nrole_arn = {FIRST}\nsource_profile = base\n"
        f"endpoint_url = {aws.url}\n"
    )

    def write(tenant: str) -> str:
        (isolated / ".aws" / "credentials").write_text(
            f"[base]\naws_access_key_id={keys[tenant]}\n"
            f"aws_secret_access_key={secrets.new('secret key')}\n"
        )
        return keys[tenant]

    write("alice")
    return write


def make_flow(given: dict[str, Any], aws: Aws) -> Any:
    extra = {
        "region_name": "eu-west-1",
        "service_config": {"sts": {"endpoint_url": aws.url}},
        **given,
    }
    snapshot = Snapshot.take()
    text = json.dumps({"conn_type": "aws", "extra": extra})
    settings = Connection.parse(text, environ=snapshot.environ).settings
    return create_flow(settings, SessionView(snapshot))


def find_signer(flow: Any, aws: Aws) -> str:
    flow.exchange(flow.prove())
    return str(aws.requests[-1].access_key_id)


@pytest.mark.parametrize("name", CONNECTIONS)
def test_files_of_another_that_come_and_go_sign_nothing(
    name: str, aws: Aws, leaks: Leaks, be: Callable[[str], str]
) -> None:
    flow = make_flow(CONNECTIONS[name], aws)
    alice = be("alice")
    told = flow.identify()
    be("bob")
    with leaks.user_calls():
        assert find_signer(flow, aws) == alice
    assert flow.identify() != told


@pytest.mark.parametrize("name", CONNECTIONS)
def test_attempt_that_was_given_up_keeps_to_whom_it_identified(
    name: str, aws: Aws, leaks: Leaks, be: Callable[[str], str]
) -> None:
    flow = make_flow(CONNECTIONS[name], aws)
    alice = be("alice")
    flow.identify()
    flow._proven = None  # as after its seconds
    be("bob")
    next_one = threading.Thread(target=flow.identify)
    next_one.start()
    next_one.join()
    with leaks.user_calls():
        assert find_signer(flow, aws) == alice


def test_same_content_in_two_places_is_shared_by_no_one(
    aws: Aws, isolated: Path, monkeypatch: pytest.MonkeyPatch, be: Callable[[str], str]
) -> None:
    be("alice")
    text = (isolated / ".aws" / "credentials").read_text()
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "credentials")
    told = []
    for name in ("one", "two"):
        place = isolated / name
        place.mkdir()
        (place / "credentials").write_text(text)
        monkeypatch.chdir(place)
        told.append(make_flow(CONNECTIONS["profile with a role"], aws).identify())
    assert told[0] != told[1]


def test_token_of_another_that_came_meanwhile_is_not_exchanged(
    aws: Aws, isolated: Path, secrets: Secrets
) -> None:
    file = isolated / "token"
    file.write_text(secrets.new("alice's token"))
    flow = make_flow(TOKEN_FILE, aws)
    told = flow.identify()
    file.write_text(secrets.new("bob's token"))
    with pytest.raises(WebIdentityTokenError, match="changed") as caught:
        flow.prove()
    assert caught.value.retryable
    assert flow.identify() != told
    flow.exchange(flow.prove())
