"""What Airflow's own command prints is a connection on standard input."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Command, Said
    from tests.leaks import Leaks, Secrets

ASKING = "[a]\ncredential_process = botocore-conn credential-process --conn-id"
KEY_ID = "AKIAQ2345672345ABCDE"


def make_record(password: str, **changed: Any) -> dict[str, Any]:
    """Make what Airflow prints of a connection: every value is text, or null."""
    return {
        "id": "1",
        "conn_id": "aws_data",
        "conn_type": "aws",
        "description": None,
        "host": "",
        "schema": "",
        "login": KEY_ID,
        "password": password,
        "port": None,
        "is_encrypted": "True",
        "is_extra_encrypted": "True",
        "extra_dejson": {"region_name": "eu-west-1", "verify": "False"},
        "get_uri": f"aws://{KEY_ID}:{password}@/?__extra__=%7B%22region_name%22%3A+"
        "%22eu-west-1%22%2C+%22verify%22%3A+false%7D",
        **changed,
    }


@pytest.fixture
def password(secrets: Secrets) -> str:
    return secrets.new("password")


@pytest.fixture
def give(monkeypatch: pytest.MonkeyPatch) -> Any:
    def give(document: object) -> None:
        text = document if isinstance(document, str) else json.dumps(document)
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    return give


MEANT = {"region_name": "eu-west-1", "verify": False}


@pytest.mark.parametrize("in_list", [False, True])
def test_record_is_read_from_its_uri(
    in_list: bool,  # noqa: FBT001 - a case
    password: str,
    give: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from botocore_conn_provider.cli.main import main

    record = make_record(password)
    give([record] if in_list else record)
    assert main(["convert", "--stdin", "--to", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == {
        "conn_type": "aws",
        "login": KEY_ID,
        "password": password,
        "extra": MEANT,
    }


@pytest.mark.parametrize("missing", ["get_uri", "conn_id"])
def test_record_is_read_without(
    missing: str, password: str, give: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from botocore_conn_provider.cli.main import main

    record = make_record(password, extra_dejson={"region_name": "eu-west-1"})
    del record[missing]
    give(record)
    assert main(["convert", "--stdin", "--to", "export"]) == 0
    line = capsys.readouterr().out
    name = "AWS_DEFAULT" if missing == "conn_id" else "AWS_DATA"
    assert line.startswith(f"export AIRFLOW_CONN_{name}='aws://{KEY_ID}:{password}@/?")
    assert "eu-west-1" in line


# `doctor` ends there, before any network.
STOP = {"lint": "", "explain": "", "doctor": "&verify=/none"}
WORDS = [["lint"], ["explain"], ["explain", "--json"], ["doctor"]]


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_commands_show_no_secret_of_a_record(
    words: list[str], password: str, give: Any, command: Command
) -> None:
    uri = f"aws://{KEY_ID}:{password}@/?region_name=eu-west-1{STOP[words[0]]}"
    give([make_record(password, get_uri=uri)])
    said = command(*words, "--stdin")
    assert "profile" not in said.err
    assert said.code == (3 if words == ["doctor"] else 0)


def test_bundle_shows_no_secret_of_a_record(
    password: str, give: Any, command: Command, leaks: Leaks, tmp_path: Path
) -> None:
    file = tmp_path / "bundle.json"
    give([make_record(password, get_uri=f"aws://{KEY_ID}:{password}@/?verify=/none")])
    command("doctor", "--stdin", "--bundle", str(file))
    leaks.check_text(file.read_text())


def spoil(password: str) -> dict[str, tuple[object, str]]:
    record = make_record(password)
    line = json.dumps([record])
    return {
        "nothing": ([], "is a list of 0"),
        "two": ([record, record], "is a list of 2"),
        "no record": ([password], "is a list of 1, not of one connection"),
        "lists": ([[record]], "is a list of 1, not of one connection"),
        "cut": (line[:-9], "is broken JSON"),
        "cut in a list of text": (f'["{password}', "is broken JSON"),
        "no field": ([{"conn_id": "x", "secret": password}], "without a field"),
        "no type": (
            [make_record(password, conn_type="", get_uri="")],
            "without a field",
        ),
        "masked": ([make_record("***")], "'password' is hidden by Airflow"),
        "changed": (
            [{**record, "password": password[:-1]}],
            "another than in 'get_uri'",
        ),
        "empty object": ({"get_uri": ""}, "without a field"),
        "a number": ([1], "has no field of a connection"),
        "profile without a field": (f"[{password}]", "has no field of a connection"),
        "profile of output": ("[a]\noutput = json\n", "has no field of a connection"),
        "profile of a wrong id": (
            f"{ASKING} aws://a:{password}@\n",
            "is not the id of a connection",
        ),
        "profile of an open quote": (
            f"{ASKING} 'aws://a:{password}@\n",
            "is not the id of a connection",
        ),
    }


@pytest.mark.parametrize("name", spoil("s"))
@pytest.mark.parametrize(
    "words",
    [["lint"], ["explain"], ["doctor"], ["convert", "--to", "uri"]],
    ids=" ".join,
)
def test_what_yields_no_connection_is_refused_unseen(
    name: str, words: list[str], password: str, give: Any, command: Command
) -> None:
    document, reason = spoil(password)[name]
    give(document)
    said: Said = command(*words, "--stdin")
    assert said.code == 3
    assert reason in said.out + said.err


def test_profile_of_a_name_that_is_no_id_is_read_under_the_default_one(
    give: Any, command: Command
) -> None:
    give("[profile me/here]\nregion = eu-west-1\n")
    said = command("explain", "--stdin", "--json")
    assert json.loads(said.out)["connection"]["id"] == "aws_default"


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_word_cut_from_a_secret_is_not_shown(
    words: list[str], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"aws://?aws_access_key_id={KEY_ID}&aws_secret_access_key=hunter&horse"
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", text + STOP[words[0]])
    said = command(*words)
    assert "(5 characters)" in said.out
    assert "hors" not in said.out + said.err
