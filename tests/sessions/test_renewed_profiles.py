"""A profile with a role or a program is renewed by the keeper, as roles are."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import botocore_conn_provider
from botocore_conn_provider import events
from botocore_conn_provider.errors import CredentialFetchError
from tests.loopback import LOOPBACK, serve
from tests.profiles import write_hop
from tests.renewal.simulation import HOUR
from tests.sessions.signing import OBJECT, WEEK, hold, make_s3, warnings_of
from tests.sessions.wire import Case, World

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets

ROLE = "arn:aws:iam::123456789012:role/first"


@pytest.fixture(autouse=True)
def _users_calls(leaks: Leaks) -> Iterator[None]:
    with leaks.user_calls():
        yield
    botocore_conn_provider.uninstall()


@pytest.fixture
def role(aws: Aws, isolated: Path, secrets: Secrets) -> Path:
    """Write a profile `hop` that has a role and a source profile."""
    write_hop(isolated, secrets, aws, ROLE)
    return isolated


@contextlib.contextmanager
def listening() -> Iterator[list[events.Event]]:
    """Yield the list of what is announced inside the block."""
    heard: list[events.Event] = []
    events.add_listener(heard.append)
    try:
        yield heard
    finally:
        events.remove_listener(heard.append)


class Program:
    """A `credential_process` that notes when it was asked."""

    def __init__(self, home: Path, secrets: Secrets) -> None:
        self._home = home
        self._secrets = secrets
        program = home / "program"
        program.write_text(f"#!/bin/sh\necho asked >>{home}/log\ncat {home}/keys\n")
        program.chmod(0o700)
        profile = f"[profile tool]\ncredential_process = {program}\n"
        (home / ".aws" / "config").write_text(profile)
        self.give(HOUR)

    def give(self, seconds: float | None) -> None:
        """Print keys that are good for that long; None for ever."""
        keys: dict[str, Any] = {
            "Version": 1,
            "AccessKeyId": self._secrets.new_access_key_id(),
            "SecretAccessKey": self._secrets.new("secret key of the program"),
        }
        if seconds is not None:
            ends = datetime.datetime.now(datetime.timezone.utc)
            ends += datetime.timedelta(seconds=seconds)
            keys["Expiration"] = ends.isoformat()
            keys["SessionToken"] = self._secrets.new_session_token()
        self.print(json.dumps(keys))

    def print(self, answer: str) -> None:
        """Print that."""
        (self._home / "keys").write_text(answer)

    @property
    def asked(self) -> int:
        log = self._home / "log"
        return log.read_text().count("asked") if log.exists() else 0


@pytest.fixture
def tool(isolated: Path, secrets: Secrets) -> Program:
    return Program(isolated, secrets)


def connect(world: World, patch: pytest.MonkeyPatch, profile: str) -> None:
    """Install a connection that names the profile, whose files stay as they are."""
    folder = world._home / ".aws"
    case = Case(
        connection={"extra": {"profile_name": profile}},
        config=(folder / "config").read_text(),
        credentials=(folder / "credentials").read_text()
        if (folder / "credentials").exists()
        else "",
    )
    world.arrange(case, patch)
    botocore_conn_provider.install()


def test_sessions_share_the_credentials_of_a_role_in_files(
    role: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(world, monkeypatch, "hop")
    for _ in range(2):
        boto3.Session().client("sts").get_caller_identity()
    actions = [each.action for each in world.aws.requests]
    assert actions == ["AssumeRole", "GetCallerIdentity", "GetCallerIdentity"]
    assert role.exists()


def test_making_a_client_asks_neither_sts_nor_the_program(
    tool: Program, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(world, monkeypatch, "tool")
    client = boto3.client("sts")
    assert tool.asked == 0
    client.get_caller_identity()
    assert tool.asked == 1


def test_program_is_asked_by_a_renewal_with_events(
    tool: Program, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening() as heard:
        connect(world, monkeypatch, "tool")
        boto3.client("sts").get_caller_identity()
    assert [each.kind for each in heard] == ["renewal_started", "renewal_succeeded"]
    assert tool.asked == 1


def test_programs_keys_without_an_end_are_asked_for_once(
    tool: Program, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool.give(None)
    connect(world, monkeypatch, "tool")
    session = boto3.Session()
    client = session.client("sts")
    for _ in range(2):
        client.get_caller_identity()
    credentials = session.get_credentials()
    assert credentials is not None
    assert credentials.get_frozen_credentials().token is None
    assert credentials.token is None
    assert tool.asked == 1


def test_url_that_keys_without_an_end_sign_needs_no_others(
    tool: Program,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tool.give(None)
    connect(world, monkeypatch, "tool")
    client = make_s3(boto3.Session())
    assert client.generate_presigned_url("get_object", OBJECT, WEEK)
    assert tool.asked == 1
    assert warnings_of(caplog) == []


def test_url_gets_new_keys_of_a_program(
    tool: Program, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool.give(3000)
    connect(world, monkeypatch, "tool")
    session: Any = boto3.Session()
    first = session.get_credentials().get_frozen_credentials().access_key
    hold(session.get_credentials(), age=600)
    tool.give(HOUR)
    url = make_s3(session).generate_presigned_url("get_object", OBJECT)
    assert first not in url
    assert tool.asked == 2


def test_program_that_repeats_its_keys_is_not_asked_for_each_url(
    tool: Program,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tool.give(3000)
    connect(world, monkeypatch, "tool")
    session: Any = boto3.Session()
    session.get_credentials().get_frozen_credentials()
    hold(session.get_credentials(), age=600)
    client = make_s3(session)
    for _ in range(100):
        client.generate_presigned_url("get_object", OBJECT)
    assert tool.asked == 2
    (said,) = warnings_of(caplog)
    assert "even new ones last" in said


ANSWERS = {
    "expired keys": '{"Expiration": "2020-01-01T00:00:00Z"}',
    "a time without a zone": '{"Expiration": "2099-01-01T00:00:00"}',
    "a number for a time": '{"Expiration": 5}',
    "a list": "[]",
    "nothing": "null",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_programs_wrong_answer_is_told_with_its_profile(
    name: str, tool: Program, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": "x"}
    answer = json.loads(ANSWERS[name])
    if isinstance(answer, dict):
        answer = {**keys, "SessionToken": "y", **answer}
    tool.print(json.dumps(answer))
    connect(world, monkeypatch, "tool")
    client = boto3.client("sts")
    with pytest.raises(CredentialFetchError, match="the profile 'tool' gives no"):
        client.get_caller_identity()


def test_two_sessions_never_share_what_a_program_gave(
    tool: Program, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(world, monkeypatch, "tool")
    signers = set()
    for _ in range(2):
        boto3.Session().client("sts").get_caller_identity()
        signers.add(world.aws.requests[-1].access_key_id)
        tool.give(HOUR)
    assert len(signers) == 2


def test_forked_child_keeps_the_credentials_of_a_profile(
    tool: Program, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(world, monkeypatch, "tool")
    session = boto3.Session()
    credentials = session.get_credentials()
    assert credentials is not None
    credentials.get_frozen_credentials()
    child = os.fork()
    if child == 0:
        credentials.get_frozen_credentials()
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert tool.asked == 1


def test_static_keys_of_a_profile_have_no_keeper(
    role: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening() as heard:
        connect(world, monkeypatch, "base")
        boto3.client("sts").get_caller_identity()
    assert heard == []
    assert [each.action for each in world.aws.requests] == ["GetCallerIdentity"]
    assert role.exists()


class Portal:
    """The SSO portal, which gives keys of a role for a token."""

    url: str

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self.asked = 0

    def __call__(
        self, _: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        self.asked += 1
        ends = datetime.datetime.now() + datetime.timedelta(hours=1)  # noqa: DTZ005
        keys = {
            "accessKeyId": self._secrets.new_access_key_id(),
            "secretAccessKey": self._secrets.new("secret key of the portal"),
            "sessionToken": self._secrets.new_session_token(),
            "expiration": int(ends.timestamp() * 1000),
        }
        body = json.dumps({"roleCredentials": keys}).encode()
        headers = [("Content-Type", "application/json")]
        start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
        return [body]


@pytest.fixture
def portal(isolated: Path, secrets: Secrets) -> Iterator[Portal]:
    """Sign in at the portal, with a profile `sso`."""
    start_url = "https://example.awsapps.com/start"
    cache = isolated / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    name = hashlib.sha1(start_url.encode()).hexdigest()  # noqa: S324 - botocore's
    token = {
        "startUrl": start_url,
        "region": "eu-west-1",
        "accessToken": secrets.new("SSO token"),
        "expiresAt": "2099-01-01T00:00:00Z",
    }
    (cache / f"{name}.json").write_text(json.dumps(token))
    made = Portal(secrets)
    with serve(made) as port:
        made.url = f"http://{LOOPBACK}:{port}"
        (isolated / ".aws" / "config").write_text(
            f"[profile sso]\nsso_start_url = {start_url}\nsso_region = eu-west-1\n"
            "sso_account_id = 123456789012\nsso_role_name = reader\n"
            f"services = portal\n[services portal]\nsso =\n  endpoint_url = {made.url}\n"
        )
        yield made


def test_keys_of_sso_are_fetched_by_a_renewal(
    portal: Portal, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(world, monkeypatch, "sso")
    client = boto3.client("sts")
    assert portal.asked == 0
    client.get_caller_identity()
    client.get_caller_identity()
    assert portal.asked == 1
    (first, second) = world.aws.requests
    assert first.access_key_id == second.access_key_id
