"""aiobotocore's sessions: the caller's Config, tokens, copies, what the program gave."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import pickle
from typing import TYPE_CHECKING, Any

import aiobotocore.credentials
import botocore.utils
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession, get_session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

import botocore_conn_provider
from tests.sessions.aio.conftest import ROLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets
    from tests.sessions.aio.conftest import Giver

    Copy = Callable[[Any], Any]
    Sign = Callable[..., list[str | None]]

COPIES = pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy])
TOKEN = "AWS_BEARER_TOKEN_BEDROCK"
has_bearer_tokens = hasattr(botocore.utils, "get_token_from_environment")
# Since its own options are merged like all others.
merges_all = hasattr(AioConfig(), "warm_up_loader_caches")


class Noting(AioSession):  # type: ignore[misc] # untyped
    """Returns the arguments with which it is asked for a client."""

    def create_client(self, *args: Any, **kwargs: Any) -> Any:
        return args, kwargs


async def list_buckets(session: Any, **given: Any) -> None:
    async with session.create_client("s3", **given) as client:
        with contextlib.suppress(ClientError):
            await client.list_buckets()


@pytest.fixture
def sign(aws: Aws, leaks: Leaks) -> Sign:
    """Call S3 with a session; return the keys of all requests until now."""

    def sign(session: Any = None, **given: Any) -> list[str | None]:
        with leaks.user_calls():
            asyncio.run(list_buckets(session or get_session(), **given))
        return [each.access_key_id for each in aws.requests]

    return sign


def attributes(**options: Any) -> Any:
    config = AioConfig()
    for name, value in options.items():
        setattr(config, name, value)
    return config


@pytest.mark.parametrize("config", [None, Config(), AioConfig(read_timeout=3)])
def test_config_passes_untouched_where_the_connection_says_nothing(
    connection: Giver, config: Config | None
) -> None:
    connection.put()
    args, kwargs = Noting().create_client("s3", config=config)
    assert args == ("s3",)
    assert kwargs["config"] is config


@pytest.mark.parametrize("options", [{}, {"config_kwargs": {"read_timeout": 7}}])
def test_request_meant_to_be_unsigned_is_not_signed(
    connection: Giver, sign: Sign, options: Any
) -> None:
    connection.put(**options)
    assert sign(config=attributes(signature_version=UNSIGNED)) == [None]


ARGS = {"force_close": True}


@pytest.mark.parametrize(
    ("default", "callers", "expected"),
    [
        (None, AioConfig(connector_args=ARGS), True),
        (None, attributes(connector_args=ARGS), True),
        (AioConfig(connector_args=ARGS), AioConfig(read_timeout=3), True),
        (AioConfig(connector_args=ARGS), Config(read_timeout=3), True),
        (AioConfig(connector_args=ARGS), None, True),
        (attributes(connector_args=ARGS), None, True),
        (attributes(connector_args=ARGS), AioConfig(read_timeout=3), True),
        (AioConfig(connector_args=ARGS), AioConfig({"force_close": False}), False),
        (None, AioConfig(), None),
    ],
)
def test_arguments_of_the_connector_are_the_nearest_callers(
    connection: Giver, default: Any, callers: Any, expected: Any
) -> None:
    connection.put(config_kwargs={"connect_timeout": 7})
    session = Noting()
    session.set_default_client_config(default)
    _, kwargs = session.create_client("s3", config=callers)
    merged = kwargs["config"]
    assert isinstance(merged, AioConfig)
    assert merged.connect_timeout == 7
    assert merged.connector_args.get("force_close") is expected


def test_arguments_that_were_set_later_are_exactly_those(connection: Giver) -> None:
    connection.put(config_kwargs={"connect_timeout": 7})
    _, kwargs = Noting().create_client("s3", config=attributes(connector_args=ARGS))
    assert kwargs["config"].connector_args == ARGS


@pytest.mark.skipif(not merges_all, reason="this aiobotocore has no such options")
@pytest.mark.parametrize("as_attribute", [False, True])
def test_http_library_and_warming_up_are_the_callers(
    connection: Giver, *, as_attribute: bool
) -> None:
    from aiobotocore.httpxsession import HttpxSession

    options: Any = {"http_session_cls": HttpxSession, "warm_up_loader_caches": True}
    connection.put(config_kwargs={"connect_timeout": 7})
    config = attributes(**options) if as_attribute else AioConfig(**options)
    _, kwargs = Noting().create_client("s3", config=config)
    assert {name: getattr(kwargs["config"], name) for name in options} == options


async def call_bedrock(session: Any) -> None:
    async with session.create_client("bedrock-runtime") as client:
        with contextlib.suppress(ClientError):
            await client.invoke_model(modelId="a-model", body=b"{}")


@pytest.mark.parametrize("preference", ["", "httpBearerAuth"])
def test_token_of_the_environment_does_not_beat_the_connection(
    connection: Giver,
    aws: Aws,
    secrets: Secrets,
    leaks: Leaks,
    monkeypatch: pytest.MonkeyPatch,
    preference: str,
) -> None:
    monkeypatch.setenv(TOKEN, secrets.new_session_token())
    monkeypatch.setenv("AWS_AUTH_SCHEME_PREFERENCE", preference)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    connection.put()
    with leaks.user_calls():
        asyncio.run(call_bedrock(get_session()))
    assert [each.access_key_id for each in aws.requests] == [connection.access_key_id]


@pytest.mark.skipif(not has_bearer_tokens, reason="no bearer tokens in this botocore")
@pytest.mark.parametrize("as_attribute", [False, True])
def test_bearer_that_the_code_asks_for_wins(
    connection: Giver,
    aws: Aws,
    secrets: Secrets,
    leaks: Leaks,
    monkeypatch: pytest.MonkeyPatch,
    *,
    as_attribute: bool,
) -> None:
    token = secrets.new_session_token()
    monkeypatch.setenv(TOKEN, token)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    connection.put(
        endpoint_url=aws.https_url,
        verify=aws.ca_file,
        config_kwargs={"connect_timeout": 7},
    )
    preference: Any = {"auth_scheme_preference": "httpBearerAuth"}
    session = get_session()
    default = attributes(**preference) if as_attribute else AioConfig(**preference)
    session.set_default_client_config(default)
    with leaks.user_calls():
        asyncio.run(call_bedrock(session))
    assert aws.requests[0].headers["authorization"] == f"Bearer {token}"


@COPIES
@pytest.mark.parametrize("role", [None, ROLE])
def test_copied_credentials_are_the_same(
    connection: Giver, secrets: Secrets, make_copy: Copy, role: str | None
) -> None:
    extra: dict[str, Any] = {"role_arn": role} if role else {}
    connection.put(**extra)

    async def run() -> None:
        credentials = await get_session().get_credentials()
        first = await credentials.get_frozen_credentials()
        connection.access_key_id = secrets.new_access_key_id()
        connection.put(**extra)
        copied = make_copy(credentials)
        assert type(copied) is type(credentials)
        assert await copied.get_frozen_credentials() == first
        assert pickle.dumps(copied) == pickle.dumps(credentials)

    asyncio.run(run())


@COPIES
@pytest.mark.parametrize("used", [False, True])
def test_copied_session_is_the_same(
    connection: Giver, secrets: Secrets, sign: Sign, make_copy: Copy, *, used: bool
) -> None:
    connection.put()
    mine = connection.access_key_id
    session = get_session()
    if used:
        sign(session)
    connection.access_key_id = secrets.new_access_key_id()
    connection.put()
    copied = make_copy(session)
    assert set(sign(copied)) == {mine}
    copied.set_credentials(connection.access_key_id, secrets.new("secret access key"))
    assert sign(copied)[-1] == connection.access_key_id
    assert sign(session)[-1] == mine


class Theirs:
    METHOD = "theirs"
    CANONICAL_NAME = None

    def __init__(self, secrets: Secrets) -> None:
        self.access_key_id = secrets.new_access_key_id()
        self._secret = secrets.new("secret access key")

    async def load(self) -> Any:
        kind = aiobotocore.credentials.AioCredentials
        return kind(self.access_key_id, self._secret, method="theirs")


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("how", ["insert_before", "insert_after", "register", "assign"])
def test_what_the_program_gave_stays(
    connection: Giver, secrets: Secrets, sign: Sign, how: str, *, older: bool
) -> None:
    connection.put()
    if older:
        botocore_conn_provider.uninstall()
    session = get_session()
    provider = Theirs(secrets)
    if how == "register":
        kind = aiobotocore.credentials.AioCredentialResolver
        session.register_component("credential_provider", kind([provider]))
    elif how == "assign":
        session._credentials = asyncio.run(provider.load())
    else:
        chain = session.get_component("credential_provider")
        getattr(chain, how)("env", provider)
    botocore_conn_provider.install()
    assert sign(session) == [provider.access_key_id]


def test_what_the_chain_found_goes(
    connection: Giver,
    secrets: Secrets,
    sign: Sign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", secrets.new_access_key_id())
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secrets.new("secret access key"))
    connection.put()
    botocore_conn_provider.uninstall()
    session = get_session()
    assert asyncio.run(session.get_credentials()).method == "env"
    botocore_conn_provider.install()
    assert sign(session) == [connection.access_key_id]


def test_session_of_a_broken_connection_is_made_and_asked_for_its_region(
    connection: Giver,
) -> None:
    connection.put(role_arn="")
    session = get_session()
    assert session.get_config_variable("region") is None

    async def run() -> None:
        async with session.create_client("s3"):
            pass

    with pytest.raises(BotoCoreError, match="role_arn"):
        asyncio.run(run())
