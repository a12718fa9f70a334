"""What is wrong, outdated or unwise is told; what is outdated can be rewritten."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from botocore_conn_provider import Connection
from botocore_conn_provider.cli.explain.accounts import find_key_account
from botocore_conn_provider.cli.forms.rewriting import rewrite
from botocore_conn_provider.connection.settings import StaticKeys
from botocore_conn_provider.secret import KeyId, Secret
from tests.cli.conftest import CONNECTION, ROLE

if TYPE_CHECKING:
    from tests.cli.conftest import Command

KEY_ID = "AKIAQ2345672345ABCDE"  # of account 057707198453
KEYS = {"login": KEY_ID, "password": "k"}
OLD = {"aws_account_id": "123456789012", "aws_iam_role": "analyst"}
REWRITTEN: list[dict[str, Any]] = [
    {**KEYS, "extra": {**OLD, "external_id": "abc"}},
    {**KEYS, "extra": {"role_arn": ROLE, **OLD}},
    {**KEYS, "extra": {"host": "http://localhost", "profile": "p"}},
    {"extra": {"session_kwargs": {"profile_name": "q"}, "profile": "p"}},
    {"extra": {"session_kwargs": {"region_name": "r-1"}, "region_name": "r-2"}},
    {**KEYS, "extra": {"session_kwargs": {"aws_account_id": "123456789012"}}},
    {
        "extra": {
            "session_kwargs": {
                "aws_access_key_id": "a",
                "aws_secret_access_key": "b",
                "aws_session_token": "c",
            },
            "aws_session_token": "",
        }
    },
    {
        **KEYS,
        "extra": {
            "session_kwargs": {
                "aws_access_key_id": "a",
                "aws_secret_access_key": "b",
                "aws_session_token": "c",
            }
        },
    },
    {
        **KEYS,
        "extra": {
            "role_arn": ROLE,
            "external_id": "abc",
            "assume_role_kwargs": {"ExternalId": "xyz"},
        },
    },
    {**KEYS, "extra": {"external_id": "unused", "region_name": None}},
]


@pytest.mark.parametrize("document", REWRITTEN)
@pytest.mark.parametrize("as_uri", [False, True])
def test_rewriting_keeps_the_meaning(document: dict[str, Any], as_uri: bool) -> None:  # noqa: FBT001
    connection = Connection.parse(json.dumps(document))
    if as_uri:
        connection = Connection.parse(connection.to_uri())

    mended = Connection.parse(rewrite(connection).to_json())

    kept = connection.settings._replace(notices=())
    assert mended.settings._replace(notices=()) == kept
    stays = "aws_account_id" in str(document["extra"].get("session_kwargs"))
    assert [n for n in mended.settings.notices if not stays] == []


def lint(
    command: Command, monkeypatch: pytest.MonkeyPatch, document: object, *words: str
) -> tuple[int, list[dict[str, str]]]:
    monkeypatch.setenv(CONNECTION, json.dumps(document))
    said = command("lint", "--json", *words)
    return said.code, json.loads(said.out)["remarks"]


def test_nothing_to_remark(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONNECTION, "aws://")
    said = command("lint", "--strict")
    assert said.code == 0
    assert said.out == "Connection 'aws_default': nothing to remark.\n"


def test_misspelt_field_is_told_with_what_was_meant(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, remarks = lint(command, monkeypatch, {"extra": {"rolearn": ROLE}})
    assert code == 3
    assert remarks == [
        {
            "level": "error",
            "field": "rolearn",
            "text": "is not a field of the connection.",
            "fix": "Did you mean 'role_arn'?",
        }
    ]


def test_what_only_the_host_can_judge_is_judged(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = {"extra": {"config_kwargs": {"read_timout": 3}}}
    code, remarks = lint(command, monkeypatch, document)
    assert (code, remarks[0]["fix"]) == (3, "Did you mean 'read_timeout'?")


def test_deprecated_field_is_told(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, remarks = lint(command, monkeypatch, {"extra": {"host": "http://h"}})
    assert code == 0
    assert [remark["level"] for remark in remarks] == ["deprecated"]
    assert (
        lint(command, monkeypatch, {"extra": {"host": "http://h"}}, "--strict")[0] == 1
    )


SAFE = {"role_arn": ROLE, "assume_role_kwargs": {"ExternalId": "abc"}}


@pytest.mark.parametrize(
    ("extra", "noted"),
    [
        ({"role_arn": ROLE}, ["role_arn"]),
        ({"role_arn": ROLE.replace("123456789012", "057707198453")}, []),
        ({"role_arn": ROLE, "assume_role_kwargs": {"ExternalId": "abc"}}, []),
        ({"verify": False}, ["verify"]),
        ({"aws_session_token": "token"}, []),
        ({"aws_session_token": "token", **SAFE}, ["aws_session_token"]),
    ],
)
def test_unwise_is_noted(
    extra: dict[str, Any],
    noted: list[str],
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, remarks = lint(command, monkeypatch, {**KEYS, "extra": extra})
    assert [remark["field"] for remark in remarks] == noted


@pytest.mark.parametrize(
    ("key_id", "told", "account"),
    [
        (KEY_ID, None, "057707198453"),
        (KEY_ID, "999999999999", "999999999999"),
        ("AKIAIOSFODNN7EXAMPLE", None, None),  # of before 2019
        ("minio", None, None),
        ("AKIAQ!!!!!!!!!!!!!!!", None, None),
    ],
)
def test_account_is_read_from_the_key(
    key_id: str, told: str | None, account: str | None
) -> None:
    assert (
        find_key_account(StaticKeys(KeyId(key_id), Secret("k"), account_id=told))
        == account
    )


@pytest.mark.parametrize("is_json", [False, True])
def test_fix_writes_the_form_that_was_given(
    is_json: bool,  # noqa: FBT001 - a case
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from botocore_conn_provider.cli.main import main

    connection = Connection.parse(
        '{"extra": {"profile_name": "p", "host": "http://h"}}'
    )
    text = connection.to_json() if is_json else connection.to_uri()
    monkeypatch.setenv(CONNECTION, text.replace('"profile_name": "p", ', ""))
    if not is_json:
        monkeypatch.setenv(CONNECTION, "aws:///?host=http%3A%2F%2Fh")

    assert main(["lint", "--fix"]) == 0

    said = capsys.readouterr()
    assert said.out.startswith("{" if is_json else "aws://")
    assert "endpoint_url" in said.out
    assert "'host' is deprecated" in said.err
