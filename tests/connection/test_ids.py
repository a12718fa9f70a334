"""What can be no id is refused unseen: it may be a connection in the wrong place."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import boto3
import pytest

import botocore_conn_provider
from botocore_conn_provider import Connection, InvalidConnectionError
from botocore_conn_provider.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.leaks import Leaks, Secrets

COMMANDS = [
    ["lint"],
    ["lint", "--json"],
    ["explain"],
    ["explain", "--json"],
    ["doctor"],
    ["doctor", "--json"],
    ["convert", "--to", "json"],
    ["credential-process"],
    ["lint", "--stdin"],
    ["explain", "--stdin"],
    ["doctor", "--stdin"],
    ["convert", "--to", "uri", "--stdin"],
]
FIX = "An id has letters, digits, '_', '.' and '-' only."


@pytest.fixture
def pasted(secrets: Secrets) -> str:
    """A connection, where its id belongs."""
    return f"aws://AKIAEXAMPLE:{secrets.new('password')}@/?region_name=eu-west-1"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    yield
    botocore_conn_provider.uninstall()


WAYS: list[Callable[[str], object]] = [
    botocore_conn_provider.session,
    botocore_conn_provider.install,
    Connection.from_env,
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("before", ["", " ", "{", "x\n", "é é"])
def test_program_that_gives_a_connection_as_id_is_refused(
    way: Callable[[str], object], before: str, pasted: str, leaks: Leaks
) -> None:
    with pytest.raises(InvalidConnectionError) as caught:
        way(before + pasted)
    leaks.check_error(caught.value)
    assert str(caught.value).startswith("Connection '?'")
    assert f"'conn_id' is not the id of a connection. {FIX}" in str(caught.value)


def test_wrong_id_installs_nothing(pasted: str) -> None:
    with pytest.raises(InvalidConnectionError):
        botocore_conn_provider.install(pasted)
    assert boto3.Session().get_credentials() is None


def test_wrong_id_in_the_environment_is_refused_at_the_first_client(
    pasted: str, leaks: Leaks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOTOCORE_CONN_ID", pasted)
    botocore_conn_provider.install()
    with pytest.raises(InvalidConnectionError) as caught:
        boto3.client("s3", region_name="eu-west-1")
    leaks.check_error(caught.value)
    assert "'BOTOCORE_CONN_ID' is not the id of a connection." in str(caught.value)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("by_variable", [False, True])
def test_commands_refuse_a_wrong_id_unseen(
    words: list[str],
    by_variable: bool,  # noqa: FBT001 - a case
    pasted: str,
    leaks: Leaks,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("aws://"))
    if by_variable:
        monkeypatch.setenv("BOTOCORE_CONN_ID", pasted)
    else:
        words = [*words, "--conn-id", pasted]
    code = main(words)
    out, err = capsys.readouterr()
    leaks.check_text(out + err)
    assert code == 3
    assert "is not the id of a connection" in (out + err).replace("\n", " ")


@pytest.mark.parametrize("conn_id", ["aws_default", "a.b-c", "Ärger", "1", "x" * 300])
def test_letters_digits_and_three_signs_are_an_id(conn_id: str) -> None:
    environ = {f"AIRFLOW_CONN_{conn_id.upper()}": "aws://"}
    assert Connection.from_env(conn_id, environ=environ).conn_id == conn_id


def test_swapped_arguments_show_nothing(pasted: str, leaks: Leaks) -> None:
    with pytest.raises(InvalidConnectionError) as caught:
        Connection.parse("aws_default", pasted)
    leaks.check_text(str(caught.value))
    made = Connection.parse("aws://", pasted)
    leaks.check_text(f"{made!r} {made.conn_id} {made.settings}")


@pytest.mark.parametrize("between", ["/", "+", "=", "&"])
def test_error_shows_no_key_in_the_place_of_an_id(
    between: str, secrets: Secrets, leaks: Leaks
) -> None:
    text = f"wJalrXUtn{between}{secrets.new('secret key')}"
    error = botocore_conn_provider.ConnProviderError(conn_id=text, cause="x.")
    leaks.check_text(f"{error} {error.conn_id}")
