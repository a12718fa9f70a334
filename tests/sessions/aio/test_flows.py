from __future__ import annotations

import asyncio
import configparser
import json
import re
from typing import TYPE_CHECKING, Any

import aiobotocore.credentials
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession, get_session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

import botocore_conn_provider
from botocore_conn_provider import events
from tests.sessions.aio.conftest import ROLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.aws import Aws, AwsRequest
    from tests.leaks import Leaks, Secrets
    from tests.sessions.aio.conftest import Giver

    Call = Callable[..., AwsRequest]


async def list_buckets(session: AioSession | None = None, **arguments: Any) -> None:
    async with (session or get_session()).create_client("s3", **arguments) as client:
        await client.list_buckets()


@pytest.fixture
def call(aws: Aws, leaks: Leaks) -> Call:
    """List buckets with a client of these arguments; return what S3 saw."""

    def call(**arguments: Any) -> AwsRequest:
        with leaks.user_calls():
            asyncio.run(list_buckets(**arguments))
        last = aws.requests[-1]
        assert last.service == "s3"
        return last

    return call


def test_keys_region_and_endpoint_are_the_connections(
    call: Call, connection: Giver
) -> None:
    connection.put(region_name="eu-west-3")
    seen = call()
    assert (seen.access_key_id, seen.region) == (connection.access_key_id, "eu-west-3")


def test_client_tells_where_its_credentials_are_from_as_without_a_connection(
    call: Call, aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "aws://")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", secrets.new_access_key_id())
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secrets.new("secret access key"))

    def read_features() -> set[str]:
        seen = call(endpoint_url=aws.url, region_name="eu-west-1")
        told = re.search(r" m/(\S+)", seen.user_agent)
        return set(told[1].split(",")) if told else set()

    botocore_conn_provider.uninstall()
    plain = read_features()
    botocore_conn_provider.install()
    assert read_features() == plain


def test_role_is_assumed_with_the_keys(call: Call, aws: Aws, connection: Giver) -> None:
    connection.put(role_arn=ROLE)
    seen = call()
    (exchange,) = aws.sts_requests
    assert exchange.action == "AssumeRole"
    assert exchange.access_key_id == connection.access_key_id
    assert exchange.parameters["RoleArn"] == ROLE
    assert (seen.access_key_id or "").startswith("ASIA")


def test_web_identity_is_exchanged_unsigned(
    call: Call, aws: Aws, connection: Giver, secrets: Secrets, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text(secrets.new("token"))
    connection.put(
        keys=False,
        role_arn=ROLE,
        assume_role_method="assume_role_with_web_identity",
        assume_role_with_web_identity_federation="file",
        assume_role_with_web_identity_token_file=str(token),
    )
    seen = call()
    (exchange,) = aws.sts_requests
    assert exchange.action == "AssumeRoleWithWebIdentity"
    assert exchange.access_key_id is None
    assert (seen.access_key_id or "").startswith("ASIA")


def write_profile(home: Path, name: str, **values: str) -> None:
    parser = configparser.ConfigParser()
    parser[name] = values
    with (home / ".aws" / "credentials").open("w") as file:
        parser.write(file)


def test_profile_is_loaded_by_aiobotocore(
    call: Call, connection: Giver, isolated: Path, secrets: Secrets
) -> None:
    key = secrets.new_access_key_id()
    secret = secrets.new("profile's secret")
    write_profile(isolated, "p", aws_access_key_id=key, aws_secret_access_key=secret)
    connection.put(keys=False, profile_name="p")
    assert call().access_key_id == key


def test_program_of_a_profile_is_asked_by_the_keeper(
    call: Call, connection: Giver, isolated: Path, secrets: Secrets
) -> None:
    keys = {
        "Version": 1,
        "AccessKeyId": secrets.new_access_key_id(),
        "SecretAccessKey": secrets.new("program's secret"),
    }
    printed = isolated / "keys"
    printed.write_text(json.dumps(keys))
    profile = f"[profile p]\ncredential_process = /bin/cat {printed}\n"
    (isolated / ".aws" / "config").write_text(profile)
    connection.put(keys=False, profile_name="p")
    heard: list[str] = []

    def listen(event: events.Event) -> None:
        heard.append(event.kind)

    events.add_listener(listen)
    try:
        assert call().access_key_id == keys["AccessKeyId"]
    finally:
        events.remove_listener(listen)
    assert heard == ["renewal_started", "renewal_succeeded"]


def test_profile_without_credentials_is_refused(
    aws: Aws, connection: Giver, isolated: Path
) -> None:
    write_profile(isolated, "p", region="eu-west-1")
    connection.put(keys=False, profile_name="p")
    with pytest.raises(botocore_conn_provider.InvalidConnectionError, match="profile"):
        asyncio.run(list_buckets())
    assert aws.requests == []


def test_connection_without_identity_has_aiobotocores_own_chain(
    call: Call,
    connection: Giver,
    secrets: Secrets,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = secrets.new_access_key_id()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secrets.new("environment's secret"))
    connection.put(keys=False, region_name="eu-west-3")
    seen = call()
    assert (seen.access_key_id, seen.region) == (key, "eu-west-3")


def test_absent_connection_leaves_aiobotocore_as_it_was(
    call: Call, aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = secrets.new_access_key_id()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secrets.new("environment's secret"))
    seen = call(endpoint_url=aws.url, region_name="eu-west-3")
    assert (seen.access_key_id, seen.region) == (key, "eu-west-3")


def test_what_the_code_says_wins_one_by_one(
    call: Call, aws: Aws, connection: Giver, secrets: Secrets
) -> None:
    connection.put(endpoint_url="http://127.0.0.1:9")
    key = secrets.new_access_key_id()
    seen = call(
        region_name="us-west-2",
        endpoint_url=aws.url,
        aws_access_key_id=key,
        aws_secret_access_key=secrets.new("code's secret"),
    )
    assert (seen.access_key_id, seen.region) == (key, "us-west-2")


def test_arguments_by_position_are_understood(
    leaks: Leaks, aws: Aws, connection: Giver
) -> None:
    connection.put()

    async def ask() -> None:
        async with get_session().create_client("s3", "us-west-2") as client:
            await client.list_buckets()

    with leaks.user_calls():
        asyncio.run(ask())
    assert aws.requests[-1].region == "us-west-2"


@pytest.mark.parametrize("kind", [Config, AioConfig])
def test_config_of_the_code_lies_over_the_connections(
    connection: Giver, kind: type[Config]
) -> None:
    connection.put(config_kwargs={"read_timeout": 7, "connect_timeout": 5})

    async def ask() -> Any:
        config = kind(read_timeout=9)
        async with get_session().create_client("s3", config=config) as client:
            return client.meta.config

    found = asyncio.run(ask())
    assert (found.read_timeout, found.connect_timeout) == (9, 5)


def test_transport_of_an_aio_config_is_kept(connection: Giver) -> None:
    connection.put(config_kwargs={"read_timeout": 7})

    async def ask() -> Any:
        config = AioConfig(connector_args={"keepalive_timeout": 3})
        async with get_session().create_client("s3", config=config) as client:
            return client.meta.config

    found = asyncio.run(ask())
    assert found.connector_args["keepalive_timeout"] == 3
    assert found.read_timeout == 7


def test_explicit_profile_switches_the_connection_off(
    call: Call, aws: Aws, connection: Giver, isolated: Path, secrets: Secrets
) -> None:
    key = secrets.new_access_key_id()
    secret = secrets.new("profile's secret")
    write_profile(isolated, "q", aws_access_key_id=key, aws_secret_access_key=secret)
    connection.put(role_arn=ROLE)
    session = AioSession(profile="q")
    seen = call(session=session, region_name="eu-west-3", endpoint_url=aws.url)
    assert seen.access_key_id == key
    assert aws.sts_requests == []


def test_session_older_than_install_is_fitted(call: Call, connection: Giver) -> None:
    botocore_conn_provider.uninstall()
    session = get_session()
    botocore_conn_provider.install()
    connection.put()
    assert call(session=session).access_key_id == connection.access_key_id


def test_uninstall_restores_aiobotocore(connection: Giver) -> None:
    del connection
    botocore_conn_provider.uninstall()
    before = AioSession.create_client, AioSession.get_credentials
    botocore_conn_provider.install()
    assert AioSession.create_client is not before[0]
    botocore_conn_provider.uninstall()
    assert (AioSession.create_client, AioSession.get_credentials) == before


@pytest.mark.parametrize(
    "text", ["aws://half@", '{"conn_type": "aws", "extra": {"role_arn": ""}}', "{"]
)
def test_broken_connection_is_refused_as_botocores_sessions_do(
    connection: Giver, text: str
) -> None:
    connection.put_text(text)
    with pytest.raises(BotoCoreError) as sync_error:
        import_boto3_client()
    with pytest.raises(BotoCoreError) as async_error:
        asyncio.run(list_buckets())
    assert type(async_error.value) is type(sync_error.value)
    assert str(async_error.value) == str(sync_error.value)


def import_boto3_client() -> None:
    import boto3

    boto3.session.Session().client("s3")


def test_chain_is_aiobotocores(connection: Giver) -> None:
    connection.put()
    resolver = get_session().get_component("credential_provider")
    assert isinstance(resolver, aiobotocore.credentials.AioCredentialResolver)
    names = [provider.METHOD for provider in resolver.providers]
    assert names[:2] == ["conn-static", "env"]
    assert "iam-role" in names
