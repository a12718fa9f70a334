"""As whom the connection acts, and as whom botocore does in the environment as it is.

The other engines are in tests/engines, which has an environment of its own.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import CONNECTION, ROLE
from tests.cli.whoami.conftest import look, write_role

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws import Aws
    from tests.cli.conftest import Command
    from tests.leaks import Secrets
    from tests.ways import Proxy

BROKEN = "aws://broken"
CHAIN = "aws://?region_name=eu-west-1"


def test_whoami_tells_the_roles_arn_key_and_time(
    command: Command, aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONNECTION, write_role(aws, secrets))

    said = command("whoami", "--json")

    told = json.loads(said.out)
    asked = aws.sts_requests
    assert said.code == 0
    assert [request.action for request in asked] == ["AssumeRole", "GetCallerIdentity"]
    assert told["connection"] == "aws_default"
    assert told["kind"] == "AssumeRole"
    assert told["account"] == "123456789012"
    assert ":assumed-role/analyst/" in told["arn"]
    assert told["key"].endswith(str(asked[1].access_key_id)[-4:])
    assert 3000 < told["seconds_left"] <= 3600


def test_whoami_for_people_says_the_same(
    command: Command, aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DATA", write_role(aws, secrets))

    said = command("whoami", "--conn-id", "aws_data")

    lines = said.out.splitlines()
    assert lines[0] == "Connection 'aws_data' (AssumeRole)"
    assert [line.split(":")[0].strip() for line in lines[1:]] == [
        "account",
        "arn",
        "key",
        "expires in",
    ]


def test_whoami_of_keys_knows_no_expiry(
    command: Command, aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = json.loads(write_role(aws, secrets))
    del document["extra"]["role_arn"]
    monkeypatch.setenv(CONNECTION, json.dumps(document))

    told = json.loads(command("whoami", "--json").out)

    assert (told["kind"], told["seconds_left"]) == ("keys", None)
    assert [request.access_key_id for request in aws.sts_requests] == [
        document["login"]
    ]


def test_whoami_of_unsigned_requests_asks_nobody(
    command: Command, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = {"extra": {"config_kwargs": {"signature_version": "unsigned"}}}
    monkeypatch.setenv(CONNECTION, json.dumps(document))

    said = command("whoami")

    assert said.code == 0
    assert "its requests are not signed" in said.out
    assert aws.requests == []


@pytest.mark.parametrize(("text", "code"), [(BROKEN, 3), ("", 4)])
def test_whoami_of_no_or_a_wrong_connection_is_an_error(
    command: Command, monkeypatch: pytest.MonkeyPatch, text: str, code: int
) -> None:
    monkeypatch.setenv(CONNECTION, text)
    said = command("whoami")
    assert (said.out, said.code) == ("", code)


@pytest.mark.usefixtures("activated")
def test_activated_botocore_is_the_connection_without_an_exchange(
    command: Command, aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONNECTION, write_role(aws, secrets))

    document, seen, code = look(command)

    assert seen == {"botocore": "connection", "boto3": "connection"}
    assert code == 0
    assert document["connection"]["kind"] == "AssumeRole"
    assert document["advice"] == []
    assert aws.requests == []


@pytest.mark.usefixtures("activated", "only")
def test_document_has_the_same_keys_for_each_engine(
    command: Command, aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONNECTION, write_role(aws, secrets))

    document, _, _ = look(command)

    (boto3,) = document["engines"]
    assert set(document) == {"connection", "engines", "advice"}
    assert set(boto3) == {"name", "version", "identity", "key_ends", "detail"}
    assert boto3["version"].startswith("1.")
    assert boto3["key_ends"] is None


@pytest.mark.usefixtures("only")
def test_not_activated_botocore_is_the_machine_and_advice_says_so(
    command: Command, aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONNECTION, write_role(aws, secrets))

    document, seen, code = look(command)

    assert (seen, code) == ({"boto3": "machine"}, 1)
    assert "botocore-conn activate" in " ".join(document["advice"])


@pytest.mark.usefixtures("activated", "only")
def test_conn_id_of_the_argument_is_the_one_that_programs_use(
    command: Command, aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONNECTION, write_role(aws, secrets))
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DATA", write_role(aws, secrets))

    document, seen, code = look(command, "--conn-id", "aws_data")

    assert document["connection"]["id"] == "aws_data"
    assert (seen, code) == ({"boto3": "connection"}, 0)


@pytest.mark.usefixtures("activated", "only")
def test_wrong_connection_is_an_error_in_botocore_and_not_the_machine(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONNECTION, BROKEN)

    document, seen, code = look(command)

    (boto3,) = document["engines"]
    assert (seen, code) == ({"boto3": "error"}, 3)
    assert boto3["detail"].startswith("InvalidConnectionError: Connection 'aws_def")
    assert "has no '@'" in document["connection"]["error"]


@pytest.mark.usefixtures("activated", "only")
def test_exchange_that_cannot_be_made_here_is_an_error(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plug-in that is not installed, found by the check before the exchange."""
    extra = {
        "role_arn": ROLE,
        "assume_role_method": "assume_role_with_web_identity",
        "assume_role_with_web_identity_federation": "nowhere",
    }
    monkeypatch.setenv(CONNECTION, json.dumps({"extra": extra}))

    document, seen, _ = look(command)

    assert seen == {"boto3": "error"}
    assert "nowhere" in document["connection"]["error"]


@pytest.mark.usefixtures("activated", "only")
def test_connection_that_names_no_identity_is_right_as_the_machine(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONNECTION, CHAIN)

    document, seen, code = look(command)

    assert (seen, code) == ({"boto3": "machine"}, 0)
    assert document["connection"]["kind"] == "botocore's chain"


@pytest.mark.usefixtures("only")
def test_keys_of_the_connection_are_known_in_the_environment(
    command: Command, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_id, secret = secrets.new_access_key_id(), secrets.new("secret key")
    document = {"login": key_id, "password": secret}
    monkeypatch.setenv(CONNECTION, json.dumps(document))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)

    _, seen, code = look(command)

    assert (seen, code) == ({"boto3": "connection"}, 0)


@pytest.mark.usefixtures("only")
def test_foreign_key_is_told_by_its_last_four_only(
    command: Command, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_id = secrets.new_access_key_id()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secrets.new("secret key"))

    document, seen, code = look(command)

    assert (seen, code) == ({"boto3": "other"}, 1)
    assert document["engines"][0]["key_ends"] == key_id[-4:]


@pytest.mark.usefixtures("only")
def test_profile_with_a_role_is_told_and_asks_nobody(
    command: Command,
    secrets: Secrets,
    monkeypatch: pytest.MonkeyPatch,
    proxy: Proxy,
    isolated: Path,
) -> None:
    (isolated / ".aws" / "config").write_text(
        f"[profile hop]\nrole_arn={ROLE}\nsource_profile=base\n"
        f"[profile base]\naws_access_key_id={secrets.new_access_key_id()}\n"
        f"aws_secret_access_key={secrets.new('secret key')}\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "hop")
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, proxy.url)

    document, seen, _ = look(command)

    assert seen == {"boto3": "other"}
    assert document["engines"][0]["detail"] == "a role that AWS would be asked for"
    assert proxy.requests == []


@pytest.mark.usefixtures("only")
def test_another_connection_behind_a_profile_is_not_exchanged_either(
    command: Command,
    aws: Aws,
    secrets: Secrets,
    monkeypatch: pytest.MonkeyPatch,
    isolated: Path,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DATA", write_role(aws, secrets))
    program = f"{sys.executable} -m botocore_conn_provider credential-process"
    (isolated / ".aws" / "config").write_text(
        f"[default]\ncredential_process = {program} --conn-id aws_data\n"
    )

    document, seen, _ = look(command)

    assert seen == {"boto3": "other"}
    assert document["engines"][0]["detail"] == "the connection 'aws_data'"
    assert aws.requests == []


def test_output_for_people_names_each_engine_and_what_to_do(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONNECTION, BROKEN)

    said = command("whoami", "--everywhere")

    lines = said.out.splitlines()
    assert said.code == 1
    assert lines[0] == "Connection 'aws_default' (not there, or wrong)"
    assert [line.split()[:2] for line in lines[2:4]] == [
        ["✗", "botocore"],
        ["✗", "boto3"],
    ]
    assert "These would not use the connection: botocore, boto3." in lines
