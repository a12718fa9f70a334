"""Bearer tokens of the environment do not answer in the connection's place."""

from __future__ import annotations

import contextlib
import copy
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import botocore.utils
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

import botocore_conn_provider
from tests.sessions.program import ASSUMING, KEYED, ROLE

if TYPE_CHECKING:
    from tests.sessions.program import Program

VARIABLE = "AWS_BEARER_TOKEN_BEDROCK"
PREFERENCE = "AWS_AUTH_SCHEME_PREFERENCE"
BEARER = "httpBearerAuth"
CHAIN = {"extra": {"region_name": "eu-west-1"}}
ROLED = {"extra": {"role_arn": ROLE}}
FILED = {"extra": {"profile_name": "there"}}
FILE = "[there]\naws_access_key_id=@FILE_KEY@\naws_secret_access_key=@FILE_SECRET@\n"
PREFERRING = {**KEYED, "extra": {"config_kwargs": {"auth_scheme_preference": BEARER}}}

# Older botocores know neither the variables nor the option: nothing can beat the
# connection there, and the code has nothing to say.
since_bearer_tokens = pytest.mark.skipif(
    not hasattr(botocore.utils, "get_token_from_environment"),
    reason="this botocore takes no bearer token from the environment",
)


@pytest.fixture(autouse=True)
def _one_attempt(program: Program) -> None:
    # The stand-in cannot read a request that has no signature.
    program.change("AWS_MAX_ATTEMPTS", "1")


@pytest.fixture
def token(program: Program) -> str:
    """A token of somebody else's, in the environment once `arrange` has been called."""
    program.world.texts["BEARER"] = program.world.new_bearer_token()
    return program.text("BEARER")


def call_bedrock(session: Any = boto3, **given: Any) -> None:
    """Call Bedrock. The stand-in may not know the operation, which is no matter."""
    make = getattr(session, "client", None) or session.create_client
    client = make("bedrock-runtime", **given)
    with contextlib.suppress(ClientError):
        client.invoke_model(modelId="a-model", body=b"{}")


def authorizations(program: Program) -> list[str]:
    """Return by what each request was authenticated: a key's name, or its token's."""
    names = {value: name for name, value in program.world.texts.items()}
    return [
        names.get(
            each.access_key_id
            or each.headers.get("authorization", "").removeprefix("Bearer "),
            "issued",
        )
        for each in program.world.aws.requests
    ]


@pytest.mark.parametrize(
    ("connection", "key"),
    [(KEYED, "KEY"), (ASSUMING, "issued"), (ROLED, "issued"), (FILED, "FILE_KEY")],
)
@pytest.mark.parametrize("preference", [None, BEARER, f"{BEARER}, sigv4", "noAuth"])
@pytest.mark.usefixtures("token")
def test_environment_does_not_beat_the_connection(
    program: Program, connection: Any, key: str, preference: str | None
) -> None:
    env = {VARIABLE: "@BEARER@", PREFERENCE: preference}
    program.arrange(connection, env=env, credentials=FILE)
    botocore_conn_provider.install()
    call_bedrock()
    assert authorizations(program)[-1] == key


@pytest.mark.usefixtures("token")
def test_preference_of_the_configuration_file_does_not_beat_the_connection(
    program: Program,
) -> None:
    program.arrange(
        KEYED,
        env={VARIABLE: "@BEARER@"},
        config=f"[default]\nauth_scheme_preference = {BEARER}\n",
    )
    botocore_conn_provider.install()
    call_bedrock()
    assert authorizations(program) == ["KEY"]


@pytest.mark.usefixtures("token")
def test_token_that_is_set_between_two_requests_changes_nothing(
    program: Program,
) -> None:
    program.arrange(KEYED)
    botocore_conn_provider.install()
    client: Any = boto3.client("bedrock-runtime")
    for _ in range(2):
        with contextlib.suppress(ClientError):
            client.invoke_model(modelId="a-model", body=b"{}")
        program.change(VARIABLE, "@BEARER@")
    assert authorizations(program) == ["KEY", "KEY"]


@pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy])
@pytest.mark.usefixtures("token")
def test_copied_session_ignores_it_too(program: Program, make_copy: Any) -> None:
    program.arrange(KEYED, env={VARIABLE: "@BEARER@"})
    botocore_conn_provider.install()
    call_bedrock(make_copy(botocore.session.Session()))
    assert authorizations(program) == ["KEY"]


@pytest.mark.usefixtures("token")
def test_older_session_and_one_connection_ignore_it_too(program: Program) -> None:
    program.arrange(KEYED, env={VARIABLE: "@BEARER@"})
    older = boto3.Session()
    call_bedrock(botocore_conn_provider.session("aws_default"))
    botocore_conn_provider.install()
    call_bedrock(older)
    assert authorizations(program) == ["KEY"] * 2


@pytest.mark.usefixtures("token")
def test_keys_that_the_code_names_are_not_beaten_either(program: Program) -> None:
    program.arrange(KEYED, env={VARIABLE: "@BEARER@"})
    botocore_conn_provider.install()
    call_bedrock(
        aws_access_key_id=program.text("THIRD_KEY"),
        aws_secret_access_key=program.text("THIRD_SECRET"),
    )
    assert authorizations(program) == ["THIRD_KEY"]


@since_bearer_tokens
@pytest.mark.parametrize("connection", [None, CHAIN])
@pytest.mark.usefixtures("token")
def test_token_counts_where_botocores_own_chain_is_the_identity(
    program: Program, connection: Any
) -> None:
    program.arrange(connection, env={VARIABLE: "@BEARER@"})
    botocore_conn_provider.install()
    call_bedrock()
    assert authorizations(program) == ["BEARER"]


@since_bearer_tokens
@pytest.mark.usefixtures("token")
def test_token_counts_for_a_profile_that_the_code_names(program: Program) -> None:
    program.arrange(KEYED, env={VARIABLE: "@BEARER@"}, credentials=FILE)
    botocore_conn_provider.install()
    call_bedrock(boto3.Session(profile_name="there"))
    assert authorizations(program) == ["BEARER"]


@since_bearer_tokens
@pytest.mark.parametrize("option", ["auth_scheme_preference", "signature_version"])
@pytest.mark.parametrize("as_attribute", [False, True])
@pytest.mark.usefixtures("token")
def test_bearer_that_the_code_asks_for_wins(
    program: Program, option: str, *, as_attribute: bool
) -> None:
    values: Any = {"auth_scheme_preference": BEARER, "signature_version": "bearer"}
    value = values[option]
    config = Config() if as_attribute else Config(**{option: value})
    setattr(config, option, value)
    program.arrange(KEYED, env={VARIABLE: "@BEARER@"})
    botocore_conn_provider.install()
    call_bedrock(config=config)
    assert authorizations(program) == ["BEARER"]


@since_bearer_tokens
@pytest.mark.usefixtures("token")
def test_bearer_that_the_connection_asks_for_counts(program: Program) -> None:
    program.arrange(PREFERRING, env={VARIABLE: "@BEARER@"})
    botocore_conn_provider.install()
    call_bedrock()
    assert authorizations(program) == ["BEARER"]


@since_bearer_tokens
@pytest.mark.parametrize("how", ["component", "insert_before", "older"])
@pytest.mark.usefixtures("token")
def test_token_provider_of_the_program_wins(program: Program, how: str) -> None:
    program.world.texts["PROGRAMS"] = program.world.new_bearer_token()
    program.arrange(KEYED, env={VARIABLE: "@BEARER@"})
    if how != "older":
        botocore_conn_provider.install()
    session = botocore.session.Session()
    provider = TokenProvider(program.text("PROGRAMS"))
    if how == "insert_before":
        chain: Any = session.get_component("token_provider")
        if not hasattr(chain, "insert_before"):
            chain._providers.insert(0, provider)
        else:
            chain.insert_before("env", provider)
    else:
        session.register_component("token_provider", provider)
    botocore_conn_provider.install()
    call_bedrock(session)
    assert authorizations(program) == ["PROGRAMS"]


class TokenProvider:
    METHOD = "theirs"

    def __init__(self, token: str) -> None:
        self._token = token

    def load_token(self, **_: Any) -> Any:
        from botocore.tokens import FrozenAuthToken

        return FrozenAuthToken(self._token)


@since_bearer_tokens
def test_preference_that_the_program_put_into_the_session_counts(
    program: Program, token: str
) -> None:
    program.arrange(KEYED, env={VARIABLE: "@BEARER@"})
    botocore_conn_provider.install()
    session = botocore.session.Session()
    session.set_config_variable("auth_scheme_preference", BEARER)
    call_bedrock(session)
    assert authorizations(program) == ["BEARER"]
    assert program.world.aws.requests[0].headers["authorization"] == f"Bearer {token}"


@since_bearer_tokens
def test_other_preferences_of_the_environment_count(program: Program) -> None:
    program.arrange(KEYED, env={PREFERENCE: f"sigv4a, {BEARER}, sigv4"})
    botocore_conn_provider.install()
    session = botocore.session.Session()
    assert session.get_config_variable("auth_scheme_preference") == "sigv4a,sigv4"


@since_bearer_tokens
def test_service_that_has_nothing_but_bearer_tokens_is_called_as_ever(
    program: Program,
) -> None:
    program.arrange(KEYED)
    botocore_conn_provider.install()
    client: Any = boto3.client("codecatalyst", region_name="us-west-2")
    with pytest.raises(BotoCoreError, match="oken"):
        client.verify_session()
    assert program.signers() == []
