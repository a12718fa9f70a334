"""The same connection in every form."""

from __future__ import annotations

import io
import json
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider import Connection
from botocore_conn_provider.cli.convert import FORMS
from botocore_conn_provider.cli.main import main
from tests.cli.conftest import CONNECTION, ROLE

if TYPE_CHECKING:
    from tests.cli.conftest import Command

URI = (
    "aws://AKIAEXAMPLE000000001:se%2Fcr%27et@/?region_name=eu-west-1"
    "&endpoint_url=http%3A%2F%2Flocalhost%3A9000&verify=%2Fca.pem"
)


def convert(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["convert", *words]) == 0
    return capsys.readouterr().out


@pytest.fixture(autouse=True)
def given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONNECTION, URI)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_leads_back(
    form: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = convert(capsys, "--to", form)
    monkeypatch.setattr("sys.stdin", io.StringIO(written))

    back = convert(capsys, "--stdin", "--to", "uri")

    assert Connection.parse(back).settings == Connection.parse(URI).settings


def test_export_line_is_what_a_shell_reads(capsys: pytest.CaptureFixture[str]) -> None:
    line = convert(capsys, "--to", "export")
    shell = f'{line}\nprintf %s "$AIRFLOW_CONN_AWS_DEFAULT"'
    ended = subprocess.run(
        ["/bin/sh", "-c", shell], capture_output=True, text=True, check=True
    )
    assert Connection.parse(ended.stdout).settings == Connection.parse(URI).settings
    assert shlex.split(line)[0] == "export"


def test_profile_asks_the_command_and_holds_no_secret(command: Command) -> None:
    assert command("convert", "--to", "profile").out == (
        "[profile aws_default]\n"
        "credential_process = botocore-conn credential-process --conn-id aws_default\n"
        "region = eu-west-1\n"
        "endpoint_url = http://localhost:9000\n"
        "ca_bundle = /ca.pem\n"
    )


def test_profile_names_what_it_cannot_say(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = {
        "verify": False,
        "config_kwargs": {"read_timeout": 3},
        "service_config": {"s3": {"endpoint_url": "http://localhost"}},
    }
    monkeypatch.setenv(CONNECTION, json.dumps({"extra": extra}))

    lines = command("convert", "--to", "profile").out.splitlines()

    assert [line.split("'")[1] for line in lines if line[0] == "#"] == [
        "config_kwargs",
        "service_config",
        "verify: false",
    ]


PROFILES = {
    "[a]\naws_access_key_id = id\naws_secret_access_key = key\nregion = r-1\n": {
        "login": "id",
        "password": "key",
        "extra": {"region_name": "r-1"},
    },
    f"[profile b]\nrole_arn = {ROLE}\nsource_profile = a\nexternal_id = xyz\n"
    "duration_seconds = 900\noutput = json\n": {
        "extra": {
            "role_arn": ROLE,
            "assume_role_kwargs": {"ExternalId": "xyz", "DurationSeconds": 900},
            "profile_name": "a",
        }
    },
    f"[profile c]\nrole_arn = {ROLE}\nweb_identity_token_file = /token\n": {
        "extra": {
            "role_arn": ROLE,
            "assume_role_method": "assume_role_with_web_identity",
            "assume_role_with_web_identity_federation": "file",
            "assume_role_with_web_identity_token_file": "/token",
        }
    },
}


@pytest.mark.parametrize(("profile", "document"), PROFILES.items())
def test_profile_becomes_a_connection(
    profile: str,
    document: object,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(profile))
    text = convert(capsys, "--stdin", "--to", "json")
    assert json.loads(text) == {"conn_type": "aws", **dict(document)}  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("[a]\nsso_session = corp\n", "'sso_…' has no word in a connection"),
        ("[a]\nmfa_serial = x\n", "'mfa_…' has no word"),
        ("[a]\ncredential_process = other\n", "is another program"),
        ("[a]\n[b]\n", "holds 2 profiles"),
        ("[a\n", "is no configuration file"),
    ],
)
def test_profile_that_no_connection_can_say_is_refused(
    profile: str, said: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(profile))
    ended = command("convert", "--stdin", "--to", "json")
    assert ended.code == 3
    assert said in ended.err


def test_export_line_with_a_quote_that_does_not_end_is_refused(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("export AIRFLOW_CONN_X='aws://"))
    assert command("convert", "--stdin", "--to", "json").code == 3


def test_nothing_on_standard_input_is_no_connection(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(" \n"))
    assert command("convert", "--stdin", "--to", "json").code == 4
