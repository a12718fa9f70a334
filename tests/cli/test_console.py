"""An address that signs a browser in to the AWS console."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.cli.console_parts import GLOBAL, Console

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Secrets


def test_address_has_the_sign_in_token(console: Console) -> None:
    host, parameters = console.read_address()
    assert host == GLOBAL
    assert parameters == {
        "Action": "login",
        "Issuer": "botocore-conn",
        "Destination": "https://console.aws.amazon.com/console/home?region=eu-west-1",
        "SigninToken": console.token,
    }


def test_credentials_of_the_role_are_sent_in_the_body(console: Console) -> None:
    console()
    [asked] = console.endpoint.requests
    session = json.loads(asked.form["Session"])
    assert (asked.method, asked.host, asked.path) == ("POST", GLOBAL, "/federation")
    assert asked.query == ""
    assert set(asked.form) == {"Action", "Session"}
    assert asked.form["Action"] == "getSigninToken"
    assert set(session) == {"sessionId", "sessionKey", "sessionToken"}
    assert session["sessionId"].startswith("ASIA")
    assert session["sessionKey"] != console.keys["password"]


def test_proxy_of_the_environment_applies(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", console.proxy)
    console.set_connection(config_kwargs=None)
    assert console().code == 0
    assert len(console.endpoint.requests) == 1


def test_address_is_told_to_be_a_secret_that_ends(console: Console) -> None:
    assert re.fullmatch(
        r"botocore-conn: this address is a secret: anyone who has it can sign in with it, for"
        r" 15 minutes\. The console session ends with its credentials, at 20\S+Z\.\n",
        console().err,
    )


@pytest.mark.parametrize(
    ("role_arn", "region", "sign_in", "page"),
    [
        (
            "arn:aws-us-gov:iam::123456789012:role/r",
            "us-gov-west-1",
            "signin.amazonaws-us-gov.com",
            "https://console.amazonaws-us-gov.com/s3/home?region=us-gov-west-1",
        ),
        (
            "arn:aws-cn:iam::123456789012:role/r",
            "cn-north-1",
            "signin.amazonaws.cn",
            "https://console.amazonaws.cn/s3/home?region=cn-north-1",
        ),
        (
            "arn:aws-eusc:iam::123456789012:role/r",
            "eusc-de-east-1",
            "eusc-de-east-1.signin.amazonaws-eusc.eu",
            "https://console.amazonaws-eusc.eu/s3/home?region=eusc-de-east-1",
        ),
        # A region that the installed botocore does not know.
        (
            "arn:aws-eusc:iam::123456789012:role/r",
            "nowhere-1",
            "eusc-de-east-1.signin.amazonaws-eusc.eu",
            "https://console.amazonaws-eusc.eu/s3/home?region=eusc-de-east-1",
        ),
        (
            "arn:aws:iam::123456789012:role/r",
            "nowhere-1",
            GLOBAL,
            "https://console.aws.amazon.com/s3/home",
        ),
        # STS takes it for a region.
        (
            "arn:aws:iam::123456789012:role/r",
            "aws-global",
            GLOBAL,
            "https://console.aws.amazon.com/s3/home",
        ),
    ],
)
def test_each_partition_has_its_console(
    console: Console, role_arn: str, region: str, sign_in: str, page: str
) -> None:
    console.set_connection(role_arn=role_arn, region_name=region)
    host, parameters = console.read_address("--service", "s3")
    assert (host, parameters["Destination"]) == (sign_in, page)
    assert [asked.host for asked in console.endpoint.requests] == [sign_in]


@pytest.mark.parametrize(
    ("role_arn", "region", "said"),
    [
        (
            "arn:aws-cn:iam::123456789012:role/r",
            "eu-west-1",
            "'region_name' is a region of aws, and the role is of aws-cn.",
        ),
        (
            "arn:aws:iam::123456789012:role/r",
            "us-gov-west-1",
            "'region_name' is a region of aws-us-gov, and the role is of aws.",
        ),
        (
            "arn:aws-iso:iam::123456789012:role/r",
            None,
            "'role_arn' is of the partition aws-iso, whose console is not known",
        ),
    ],
)
def test_partitions_that_do_not_fit_are_refused_before_anything_is_sent(
    console: Console, aws: Aws, role_arn: str, region: str | None, said: str
) -> None:
    console.set_connection(role_arn=role_arn, region_name=region)
    ended = console()
    assert (ended.out, ended.code) == ("", 3)
    assert said in ended.err
    assert (aws.requests, console.endpoint.requests) == ([], [])


def test_without_a_region_and_a_role_there_is_no_console(
    console: Console, secrets: Secrets
) -> None:
    token = secrets.new_session_token()
    console.set_connection(role_arn=None, region_name=None, aws_session_token=token)
    ended = console()
    assert (ended.out, ended.code) == ("", 3)
    assert "'region_name' does not tell in which partition" in ended.err
    assert console.endpoint.requests == []


def test_region_of_the_environment_counts(
    console: Console, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "cn-north-1")
    token = secrets.new_session_token()
    console.set_connection(role_arn=None, region_name=None, aws_session_token=token)
    assert console.read_address()[0] == "signin.amazonaws.cn"


def test_temporary_keys_of_the_connection_are_sent_as_they_are(
    console: Console, secrets: Secrets
) -> None:
    token = secrets.new_session_token()
    console.set_connection(role_arn=None, aws_session_token=token)
    assert console().err.endswith("The console session ends with its credentials.\n")
    session = json.loads(console.endpoint.requests[0].form["Session"])
    assert session == {
        "sessionId": console.keys["login"],
        "sessionKey": console.keys["password"],
        "sessionToken": token,
    }


@pytest.mark.parametrize("secret_key", ["a+b/c=d&e %25", "\"\\'$`\u043ax"])
def test_hostile_secret_key_arrives_whole(
    console: Console, secrets: Secrets, secret_key: str
) -> None:
    console.keys["password"] = secret_key
    token = secrets.new_session_token()
    console.set_connection(role_arn=None, aws_session_token=token)
    assert console().code == 0
    session = json.loads(console.endpoint.requests[0].form["Session"])
    assert session["sessionKey"] == console.keys["password"]


def test_keys_of_a_user_are_refused_with_what_to_do(console: Console, aws: Aws) -> None:
    console.set_connection(role_arn=None)
    ended = console()
    assert (ended.out, ended.code) == ("", 1)
    assert "its keys have no session token" in ended.err
    assert "Give the connection a 'role_arn'" in ended.err
    assert (aws.requests, console.endpoint.requests) == ([], [])


def test_keys_of_a_user_from_a_profile_are_refused_too(
    console: Console, isolated: Path
) -> None:
    (isolated / ".aws" / "credentials").write_text(
        f"[user]\naws_access_key_id = {console.keys['login']}\n"
        f"aws_secret_access_key = {console.keys['password']}\n"
    )
    console.keys = {}
    console.set_connection(role_arn=None, profile_name="user")
    assert "its keys have no session token" in console().err
    assert console.endpoint.requests == []


@pytest.mark.parametrize(
    ("duration", "seconds"), [("8h", "28800"), ("900", "900"), ("43200", "43200")]
)
def test_duration_is_sent_for_a_role_that_keys_assumed(
    console: Console, duration: str, seconds: str
) -> None:
    ended = console("--duration", duration)
    assert console.endpoint.requests[0].form["SessionDuration"] == seconds
    assert f"lasts {int(seconds) // 60} min from sign-in" in ended.err


def test_duration_is_sent_for_a_role_of_a_web_identity(
    console: Console, secrets: Secrets, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    path.write_text(secrets.new("identity token"))
    console.keys = {}
    console.set_connection(
        assume_role_method="assume_role_with_web_identity",
        assume_role_with_web_identity_federation="file",
        assume_role_with_web_identity_token_file=str(path),
    )
    assert console("--duration", "2h").code == 0
    assert console.endpoint.requests[0].form["SessionDuration"] == "7200"


@pytest.mark.parametrize("duration", ["899", "13h", "43201", "", "1d", "-1h", "१h"])
def test_duration_beyond_aws_limits_is_refused(
    console: Console, duration: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        console(f"--duration={duration}")
    assert "from 15m to 12h" in capfd.readouterr().err
    assert console.endpoint.requests == []


def test_duration_is_left_out_for_a_role_that_a_session_assumed(
    console: Console, secrets: Secrets
) -> None:
    console.set_connection(aws_session_token=secrets.new_session_token())
    ended = console("--duration", "8h")
    assert "SessionDuration" not in console.endpoint.requests[0].form
    assert "--duration is left out: AWS takes none for a role that" in ended.err
    assert "ends with its credentials, at 20" in ended.err


def test_duration_is_left_out_for_a_base_identity_that_is_a_session(
    console: Console, secrets: Secrets, isolated: Path
) -> None:
    (isolated / ".aws" / "credentials").write_text(
        f"[base]\naws_access_key_id = {console.keys['login']}\n"
        f"aws_secret_access_key = {console.keys['password']}\n"
        f"aws_session_token = {secrets.new_session_token()}\n"
    )
    console.keys = {}
    console.set_connection(profile_name="base")
    assert "--duration is left out" in console("--duration", "8h").err
    assert "SessionDuration" not in console.endpoint.requests[0].form


def test_duration_is_left_out_where_nothing_tells_what_the_credentials_are_of(
    console: Console, secrets: Secrets
) -> None:
    token = secrets.new_session_token()
    console.set_connection(role_arn=None, aws_session_token=token)
    ended = console("--duration", "8h")
    assert "SessionDuration" not in console.endpoint.requests[0].form
    assert "AWS takes one for a role only" in ended.err


@pytest.mark.parametrize("service", ["", "S3", "a/b", "s3?x", "../iam", "é", "a b"])
def test_what_is_no_name_of_a_service_is_refused(
    console: Console, service: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        console(f"--service={service}")
