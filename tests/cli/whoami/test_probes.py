"""How `whoami` runs an engine: what it is given, and how it is ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.cli.engine_table import Program
from botocore_conn_provider.cli.whoami import probing
from botocore_conn_provider.connection.environment import CHANGES_VARIABLE
from botocore_conn_provider.connection.process_changes import note_changes
from tests.child import DEADLINE_SECONDS
from tests.cli.conftest import CONNECTION
from tests.cli.whoami.conftest import look, write_role
from tests.loopback import LOOPBACK, serve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from tests.aws import Aws
    from tests.cli.conftest import Command
    from tests.leaks import Secrets


@pytest.mark.usefixtures("only")
def test_machines_container_endpoint_is_not_asked(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/x")
    assert look(command)[1] == {"boto3": "machine"}


@pytest.mark.usefixtures("only")
def test_container_endpoint_on_loopback_is_left_and_named(
    command: Command, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_id, token = secrets.new_access_key_id(), secrets.new("endpoint's token")
    handed_out = {
        "AccessKeyId": key_id,
        "SecretAccessKey": secrets.new("secret key"),
        "Token": secrets.new_session_token(),
        "Expiration": "2999-01-01T00:00:00Z",
    }
    tokens: list[str] = []

    def endpoint(
        environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        tokens.append(environ["HTTP_AUTHORIZATION"])
        start_response("200 OK", [])
        return [json.dumps(handed_out).encode()]

    with serve(endpoint) as port:
        url = f"http://{LOOPBACK}:{port}/credentials"
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", token)
        document, seen, code = look(command)

    assert (seen, code) == ({"boto3": "endpoint"}, 0)
    assert document["engines"][0]["key_ends"] == key_id[-4:]
    assert set(tokens) == {token}


@pytest.mark.usefixtures("activated", "only")
def test_connection_that_was_taken_out_for_engines_is_not_exchanged(
    command: Command, aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under `exec`: our own connections start from what was there before."""
    before = {CONNECTION: write_role(aws, secrets)}
    after = {"AWS_EC2_METADATA_DISABLED": "true"}
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("BOTOCORE_CONN_ID", "aws_default")
    monkeypatch.setenv(CHANGES_VARIABLE, note_changes(before, after))

    document, seen, code = look(command)

    assert (seen, code) == ({"boto3": "connection"}, 0)
    assert document["connection"]["kind"] == "AssumeRole"
    assert aws.requests == []


def test_engine_that_hangs_is_ended_and_said(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    child = tmp_path / "child"
    script = f"sleep 1000 & echo $! > {child}; wait"
    monkeypatch.setattr(probing, "ENGINES", [Program("slow", "sh", ("-c", script))])
    monkeypatch.setenv("PATH", os.defpath)

    document, _, code = look(command, "--timeout", "1")

    (slow,) = document["engines"]
    assert (slow["identity"], code) == ("error", 0)
    assert slow["detail"] == "no request within 1 s"
    assert ends(int(child.read_text()))


def test_interrupt_ends_what_runs(tmp_path: Path) -> None:
    programs, child = tmp_path / "programs", tmp_path / "child"
    programs.mkdir()
    (programs / "aws").write_text(
        f"#!/bin/sh\necho $$ > {child}.new\nmv {child}.new {child}\nexec sleep 1000\n"
    )
    (programs / "aws").chmod(0o755)
    path = os.pathsep.join([str(programs), os.defpath])
    whoami = [sys.executable, "-m", "botocore_conn_provider", "whoami", "--everywhere"]

    with subprocess.Popen(whoami, env={**os.environ, "PATH": path}) as process:
        while not child.exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        returncode = process.wait(DEADLINE_SECONDS)

    assert returncode == 130
    assert ends(int(child.read_text()))


def test_words_of_an_engine_are_masked(
    command: Command, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secrets.new("secret key"))
    script = "echo It failed with $AWS_SECRET_ACCESS_KEY >&2; exit 1"
    monkeypatch.setattr(probing, "ENGINES", [Program("loud", "sh", ("-c", script))])
    monkeypatch.setenv("PATH", os.defpath)

    document, seen, _ = look(command)

    assert seen == {"loud": "error"}
    assert document["engines"][0]["detail"] == "It failed with ***"


def ends(number: int) -> bool:
    """Return whether a process ends within the deadline; init reaps it when it likes."""
    for _ in range(100 * DEADLINE_SECONDS):
        try:
            if ") Z " in Path(f"/proc/{number}/stat").read_text():
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.01)
    return False


def test_arguments_of_a_probe_hold_no_secret(
    command: Command,
    aws: Aws,
    secrets: Secrets,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    seen = tmp_path / "seen"
    spy = f"tr '\\0' '\\n' < /proc/$$/cmdline > {seen}; env > {seen}.env"
    monkeypatch.setattr(probing, "ENGINES", [Program("spy", "sh", ("-c", spy))])
    monkeypatch.setenv("PATH", os.defpath)
    text = write_role(aws, secrets)
    monkeypatch.setenv(CONNECTION, text)

    look(command)

    words = seen.read_text().splitlines()
    environment = (tmp_path / "seen.env").read_text()
    assert words[-1].startswith(f"http://{LOOPBACK}:")
    assert CONNECTION in environment
    assert json.loads(text)["login"] not in environment
    assert secrets.find_in(environment + seen.read_text()) == []


def test_program_that_cannot_be_started_is_an_error_of_its_own(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "aws"
    program.write_text("#!/nowhere/python\n")
    program.chmod(0o755)
    monkeypatch.setattr(probing, "ENGINES", [Program("AWS CLI", "aws", ())])

    document, seen, _ = look(command)

    assert seen == {"AWS CLI": "error"}
    assert "cannot be started (No such file" in document["engines"][0]["detail"]
