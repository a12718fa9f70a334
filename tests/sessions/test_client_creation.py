"""Creating a client waits for nothing that the client does not need."""

from __future__ import annotations

import re
import sys
import threading
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

import botocore_conn_provider
from tests.sessions.wire import Case, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.leaks import Leaks

ROLE = "arn:aws:iam::123456789012:role/reader"
# Waits until it is released, and then answers.
PROGRAM = """
import os, sys, time
while not os.path.exists(sys.argv[1]):
    time.sleep(0.02)
print('{"Version": 1, "AccessKeyId": "@KEY@", "SecretAccessKey": "@SECRET@"}')
"""
PROFILE = f"[profile slow]\ncredential_process = {sys.executable} @PROGRAM@ @RELEASE@\n"
PATIENCE_SECONDS = 20


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Path]:
    """The file that lets the program answer; it is there when the test ends."""
    path = tmp_path / "release"
    yield path
    path.touch()


@pytest.fixture
def arrange(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, release: Path
) -> Callable[..., None]:
    """Set a connection whose profile has a program that hangs."""

    def arrange(*, in_chain: bool = False, **extra: Any) -> None:
        program = tmp_path / "program.py"
        program.write_text(world.fill(PROGRAM))
        config = PROFILE.replace("@PROGRAM@", str(program))
        config = config.replace("@RELEASE@", str(release))
        named = {} if in_chain else {"profile_name": "slow"}
        connection = {"extra": {**named, **extra}}
        env = dict.fromkeys(AMBIENT) | {"AWS_PROFILE": "slow"} if in_chain else {}
        case = Case(connection=connection, config=config, env=env)
        world.arrange(case, monkeypatch)
        botocore_conn_provider.install()

    return arrange


AMBIENT = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def start(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_client_of_a_role_waits_for_no_identity(
    arrange: Callable[..., None], world: World, release: Path, leaks: Leaks
) -> None:
    arrange(role_arn=ROLE)
    made: list[Any] = []
    thread = start(lambda: made.append(boto3.client("sts")))
    thread.join(PATIENCE_SECONDS)
    assert made, "creating the client waits for the program"
    release.touch()
    with leaks.user_calls():
        made[0].get_caller_identity()
    assert [each.action for each in world.aws.requests] == [
        "AssumeRole",
        "GetCallerIdentity",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        {"aws_access_key_id": "AKIAEXPLICIT", "aws_secret_access_key": "explicit"},
        {"config": Config(signature_version=UNSIGNED)},
    ],
    ids=["keys of its own", "unsigned"],
)
def test_client_without_need_of_the_identity_waits_for_no_other(
    arrange: Callable[..., None], release: Path, arguments: dict[str, Any]
) -> None:
    arrange(in_chain=True)  # botocore runs the program when it makes a client
    session = boto3.Session()
    waiting = start(lambda: session.client("s3"))
    waiting.join(1)
    assert waiting.is_alive()
    made: list[Any] = []
    start(lambda: made.append(session.client("sts", **arguments))).join(
        PATIENCE_SECONDS
    )
    assert made, "it waits for the other client's program"
    assert waiting.is_alive()
    release.touch()
    waiting.join(PATIENCE_SECONDS)
    assert not waiting.is_alive()


FILE = "[default]\naws_access_key_id = @KEY@\naws_secret_access_key = @SECRET@\n"
NO_VARIABLES = dict.fromkeys(
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
)


@pytest.mark.parametrize(
    "case",
    [
        Case(connection="aws://"),
        Case(connection="aws://", env=NO_VARIABLES, credentials=FILE),
        Case(connection="aws://", env=NO_VARIABLES, config=FILE),
    ],
)
def test_client_tells_where_its_credentials_are_from_as_without_a_connection(
    case: Case, world: World, leaks: Leaks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_features() -> set[str]:
        with leaks.user_calls():
            boto3.Session().client("sts").get_caller_identity()
        told = re.search(r" m/(\S+)", world.aws.requests[-1].user_agent)
        return set(told[1].split(",")) if told else set()

    world.arrange(case, monkeypatch)
    plain = read_features()
    botocore_conn_provider.install()
    assert read_features() == plain
