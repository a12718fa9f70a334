"""The exchange's errors say what happened and hide what was sent and answered."""

from __future__ import annotations

import datetime
import logging
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from botocore_conn_provider.connection.settings import (
    AssumeRole,
    AssumeRoleWithSaml,
    AssumeRoleWithWebIdentity,
    ClientSettings,
    SamlSignIn,
)
from botocore_conn_provider.errors import StsExchangeError
from botocore_conn_provider.exchange.base_identity import BaseIdentity
from botocore_conn_provider.exchange.sts import StsExchange, create_sts_client
from botocore_conn_provider.secret import KeyId, Options, Secret
from tests.aws import Fault, build_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets

ROLE = "arn:aws:iam::123456789012:role/reader"
SIGN_IN = SamlSignIn(idp_url="https://idp.example")


@pytest.fixture
def make_exchange(aws: Aws, secrets: Secrets) -> Callable[..., StsExchange]:
    """Make an exchange with keys, at any endpoint."""

    def make(
        endpoint: str | None = None, *, unsigned: bool = False, **config: Any
    ) -> StsExchange:
        session = botocore.session.Session()
        session.set_config_variable("region", "eu-west-1")
        identity = BaseIdentity(
            KeyId(secrets.new_access_key_id()),
            Secret(secrets.new("secret key")),
            Secret(secrets.new_session_token()),
            method="test",
        )
        once = {"retries": {"total_max_attempts": 1}, **config}
        settings = ClientSettings(
            config=Options(once), service_endpoints={"sts": endpoint or aws.url}
        )
        client = create_sts_client(
            session, settings, signed_with=None if unsigned else identity
        )
        return StsExchange(client, conn_id="aws_prod")

    return make


def assume(exchange: StsExchange, **parameters: Any) -> None:
    named = Options({"RoleSessionName": "a-session", **parameters})
    exchange.assume_role(AssumeRole(ROLE, named))


def refuse(exchange: StsExchange, **parameters: Any) -> StsExchangeError:
    with pytest.raises(StsExchangeError) as caught:
        assume(exchange, **parameters)
    return caught.value


def test_canonical_request_with_the_token_is_not_shown(
    aws: Aws, leaks: Leaks, make_exchange: Any
) -> None:
    exchange = make_exchange()
    token = exchange._client._request_signer._credentials.token
    message = (
        "The request signature we calculated does not match.\n\nThe Canonical String"
        f" for this request should have been\n'POST\n/\n\nx-amz-security-token:{token}'"
    )
    aws.inject(Fault(status=403, body=build_error("SignatureDoesNotMatch", message)))
    error = refuse(exchange)
    assert error.cause == (
        f"STS refused AssumeRole of {ROLE}: SignatureDoesNotMatch:"
        " The request signature we calculated does not match."
    )
    assert error.hint == "Check the secret key and the clock of this machine."
    leaks.check_error(error)


def test_signature_and_key_id_of_a_message_are_masked(
    aws: Aws, leaks: Leaks, make_exchange: Any
) -> None:
    exchange = make_exchange()
    key_id = exchange._client._request_signer._credentials.access_key
    message = f"not valid: Credential={key_id}/20260101, Signature={'0af1' * 16}"
    aws.inject(Fault(status=400, body=build_error("IncompleteSignature", message)))
    error = refuse(exchange)
    assert key_id[-4:] in str(error)
    assert "0af1" not in str(error)
    leaks.check_error(error)


def test_parameters_quoted_by_sts_are_masked(
    aws: Aws, secrets: Secrets, make_exchange: Any
) -> None:
    external_id = secrets.new("external id")
    message = f"Value '{external_id}' at 'externalId' of role a-session is bad"
    aws.inject(Fault(status=400, body=build_error("ValidationError", message)))
    error = refuse(make_exchange(), ExternalId=external_id)
    assert "Value '***' at 'externalId' of role a-session is bad" in str(error)


def test_assertion_and_token_quoted_by_sts_are_masked(
    aws: Aws, secrets: Secrets, make_exchange: Any
) -> None:
    proof = secrets.new("proof")
    body = build_error("ValidationError", f"1 error: Value '{proof}' failed")
    aws.inject(Fault(status=400, body=body), times=2)
    exchange = make_exchange(unsigned=True)
    with pytest.raises(StsExchangeError, match=r"Value '\*\*\*' failed"):
        exchange.assume_role_with_saml(
            AssumeRoleWithSaml(ROLE, SIGN_IN),
            principal_arn="arn:aws:iam::123456789012:saml-provider/corp",
            assertion=Secret(proof),
        )
    with pytest.raises(StsExchangeError, match=r"Value '\*\*\*' failed"):
        exchange.assume_role_with_web_identity(
            AssumeRoleWithWebIdentity(ROLE, "file"), token=Secret(proof)
        )


@pytest.mark.parametrize("status", [200, 403])
def test_html_is_an_error_that_does_not_show_it(
    aws: Aws, secrets: Secrets, leaks: Leaks, make_exchange: Any, status: int
) -> None:
    page = f"<html><br><p>{secrets.new('body')}</p>"
    aws.inject(Fault(status=status, body=page))
    error = refuse(make_exchange())
    assert error.hint == "Check the STS endpoint and the proxy."
    assert not error.retryable
    leaks.check_error(error)


@pytest.mark.parametrize("body", ["", "<html></html>", "<a><Credentials/></a>", "[]"])
def test_answer_without_credentials_is_an_error(
    aws: Aws, make_exchange: Any, body: str
) -> None:
    aws.inject(Fault(status=200, body=body))
    assert refuse(make_exchange()).hint == "Check the STS endpoint and the proxy."


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (400, "Throttling", True),
        (400, "ThrottlingException", True),
        (503, "ServiceUnavailable", True),
        (500, "InternalFailure", True),
        (403, "AccessDenied", False),
        (403, "ExpiredToken", False),
    ],
)
def test_refusals_say_whether_to_try_again(
    aws: Aws, make_exchange: Any, status: int, code: str, *, retryable: bool
) -> None:
    aws.inject(Fault(status=status, body=build_error(code)))
    error = refuse(make_exchange())
    assert (error.retryable, code in str(error)) == (retryable, True)


def test_endpoint_that_is_not_there_is_named_by_its_host_and_port(
    secrets: Secrets, make_exchange: Any
) -> None:
    secret = secrets.new("path of an endpoint")
    error = refuse(make_exchange(f"http://127.0.0.1:1/{secret}"))
    assert error.cause == (
        f"The credentials for {ROLE} could not be fetched:"
        " http://127.0.0.1:1 refuses the connection."
    )
    assert "port in 'region_name' and 'service_config.sts.endpoint_url'" in error.hint
    assert error.retryable


def test_password_of_a_proxy_that_is_not_there_is_not_shown(
    secrets: Secrets, leaks: Leaks, make_exchange: Any
) -> None:
    proxy = f"http://someone:{secrets.new('proxy password')}@127.0.0.1:1"
    error = refuse(make_exchange("http://sts.example", proxies={"http": proxy}))
    assert "The proxy on the way to http://sts.example could not be used" in str(error)
    assert "Check 'config_kwargs.proxies', HTTPS_PROXY" in error.hint
    assert error.retryable
    leaks.check_error(error)


def test_silent_sts_is_a_timeout_that_may_be_tried_again(
    aws: Aws, make_exchange: Any
) -> None:
    aws.inject(Fault(delay_seconds=1))
    error = refuse(make_exchange(read_timeout=0.2))
    assert f"{aws.url} did not answer within the timeout." in str(error)
    assert error.hint == "Raise 'config_kwargs.read_timeout' if it is known to be slow."
    assert error.retryable


def test_untrusted_certificate_is_not_tried_again(aws: Aws, make_exchange: Any) -> None:
    error = refuse(make_exchange(aws.https_url))
    assert f"TLS: the certificate of {aws.https_url} is not accepted" in str(error)
    assert "name your CA's bundle in 'verify'" in error.hint
    assert not error.retryable


def test_exchange_leaves_no_debug_record(
    make_exchange: Any, caplog: pytest.LogCaptureFixture
) -> None:
    exchange = make_exchange()
    assume(exchange)  # the first loads botocore's data files, and says so
    caplog.clear()
    assume(exchange)
    here = threading.get_ident()  # a renewal that another test began may be loading
    mine = [each for each in caplog.records if each.thread == here]
    assert [each for each in mine if each.levelno == logging.DEBUG] == []


def test_records_of_the_users_own_calls_are_left_alone(
    make_exchange: Any, leaks: Leaks, caplog: pytest.LogCaptureFixture
) -> None:
    exchange = make_exchange()
    assume(exchange)
    caplog.clear()
    with leaks.user_calls():
        exchange._client.get_caller_identity()
    assert {"botocore.auth", "botocore.parsers"} <= {r.name for r in caplog.records}


def test_parameter_that_botocore_refuses_is_not_shown(
    secrets: Secrets, make_exchange: Any
) -> None:
    error = refuse(make_exchange(), ExternalId=[secrets.new("external id")])
    assert "ParamValidationError" in str(error)
    assert not error.retryable


DATES = {
    "of HTTP": ("Fri, 15 Jan 2027 07:50:00 GMT", "2027-01-15T07:50:00+00:00"),
    "without a zone": ("Fri, 15 Jan 2027 07:50:00 -0000", "2027-01-15T07:50:00+00:00"),
    "missing": (None, "None"),
    "no date": ("yesterday", "None"),
    "no day": ("Fri, 99 Jan 2027 07:50:00 GMT", "None"),
    "no zone": ("Fri, 15 Jan 2027 07:50:00 +99999999999999", "None"),
}


@pytest.mark.parametrize(("date", "expected"), DATES.values(), ids=DATES)
def test_servers_time_is_that_of_its_date(
    secrets: Secrets, date: str | None, expected: str
) -> None:
    answer = {
        "Credentials": {
            "AccessKeyId": secrets.new_access_key_id(),
            "SecretAccessKey": secrets.new("secret key"),
            "SessionToken": secrets.new_session_token(),
            "Expiration": datetime.datetime(2027, 1, 15, tzinfo=datetime.timezone.utc),
        },
        "ResponseMetadata": {"HTTPHeaders": {} if date is None else {"date": date}},
    }
    client: Any = SimpleNamespace(assume_role=lambda **_: answer)
    issued = StsExchange(client, conn_id="x").assume_role(AssumeRole(ROLE, Options()))
    server = issued.server_time
    assert (server.isoformat() if server else "None") == expected
