"""The exchange over HTTP, and what its errors may show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from botocore_conn_provider.connection.settings import AssumeRole, ClientSettings
from botocore_conn_provider.errors import StsExchangeError
from botocore_conn_provider.exchange import StsExchange, create_sts_client
from botocore_conn_provider.secret import Options
from tests.aws import answer
from tests.loopback import LOOPBACK, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.leaks import Secrets

ROLE = AssumeRole(
    "arn:aws:iam::123456789012:role/reader", Options({"RoleSessionName": "x1"})
)
NOBODY_LISTENS = f"http://{LOOPBACK}:1"


def make_exchange(
    endpoint: str, *, keys: tuple[str, str] | None = ("AKIAEXCHANGE", "s")
) -> StsExchange:
    session = botocore.session.Session()
    if keys is not None:
        session.set_credentials(*keys)
    session.set_config_variable("region", "eu-west-1")
    options = {"retries": {"total_max_attempts": 1}}
    settings = ClientSettings(
        service_endpoints=Options({"sts": endpoint}), config=Options(options)
    )
    client = create_sts_client(session, settings, unsigned=False)
    return StsExchange(client, conn_id="x")


@pytest.fixture
def exchange_against() -> Iterator[Callable[[str], StsExchange]]:
    """Return an exchange with an STS that answers every call with one body."""
    body = ""

    def sts(_: Any, start_response: Any) -> list[bytes]:
        return answer(200, body, start_response)

    with serve(sts) as port:

        def against(said: str) -> StsExchange:
            nonlocal body
            body = said
            return make_exchange(f"http://{LOOPBACK}:{port}")

        yield against


def test_answer_that_botocore_cannot_parse_is_not_shown(
    exchange_against: Callable[[str], StsExchange], secrets: Secrets
) -> None:
    cut = f"<AssumeRoleResponse><SecretAccessKey>{secrets.new('issued')}</Secret"
    with pytest.raises(StsExchangeError, match="ResponseParserError") as caught:
        exchange_against(cut).assume_role(ROLE)
    assert not caught.value.retryable


def test_answer_without_credentials_is_an_error_of_ours(
    exchange_against: Callable[[str], StsExchange],
) -> None:
    with pytest.raises(StsExchangeError, match="without credentials"):
        exchange_against(
            "<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>"
        ).assume_role(ROLE)


def test_fault_of_the_network_says_the_host_alone_and_may_be_retried(
    secrets: Secrets,
) -> None:
    endpoint = f"{NOBODY_LISTENS}/{secrets.new('path')}"
    with pytest.raises(StsExchangeError) as caught:
        make_exchange(endpoint).assume_role(ROLE)
    assert caught.value.cause == (
        f"The credentials for {ROLE.role_arn} could not be fetched:"
        " EndpointConnectionError (http://127.0.0.1)."
    )
    assert caught.value.hint.startswith("Check the network")
    assert caught.value.retryable


def test_missing_base_credentials_are_said_in_botocores_words() -> None:
    with pytest.raises(StsExchangeError, match="Unable to locate credentials") as told:
        make_exchange(NOBODY_LISTENS, keys=None).assume_role(ROLE)
    assert not told.value.retryable


def test_parameter_that_botocore_refuses_is_not_quoted(secrets: Secrets) -> None:
    role = ROLE._replace(
        parameters=Options({"RoleSessionName": "x1", "Tags": secrets.new("tag")})
    )
    with pytest.raises(StsExchangeError, match="ParamValidationError"):
        make_exchange(NOBODY_LISTENS).assume_role(role)
