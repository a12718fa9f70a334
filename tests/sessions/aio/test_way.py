"""What lies between aiobotocore and AWS: verification, rejection, a SAML sign-in."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from aiobotocore.session import get_session
from botocore.exceptions import SSLError

import botocore_conn_provider
from tests.federation.saml.asking import build_page
from tests.federation.saml.signing import PROVIDER, sign_response

if TYPE_CHECKING:
    from pathlib import Path

    import trustme

    from tests.aws import Aws
    from tests.federation.saml.parts import StartIdp
    from tests.leaks import Leaks
    from tests.sessions.aio.conftest import Giver

ANALYST = "arn:aws:iam::123456789012:role/analyst"


async def ask_who_we_are() -> str:
    async with get_session().create_client("sts") as client:
        identity: dict[str, Any] = await client.get_caller_identity()
        return str(identity["Arn"])


def put_tls(connection: Giver, aws: Aws, **extra: Any) -> None:
    connection.put(
        role_arn=ANALYST,
        endpoint_url=aws.https_url,
        service_config={"sts": {"endpoint_url": aws.https_url}},
        **extra,
    )


def test_verify_of_the_connection_holds_for_services_and_exchange(
    aws: Aws, connection: Giver, leaks: Leaks
) -> None:
    put_tls(connection, aws, verify=aws.ca_file)
    with leaks.user_calls():
        arn = asyncio.run(ask_who_we_are())
    assert arn.endswith("assumed-role/analyst/airflow_aws_default")
    assert {request.scheme for request in aws.requests} == {"https"}


def test_unknown_authority_ends_the_call(
    aws: Aws, connection: Giver, leaks: Leaks
) -> None:
    put_tls(connection, aws)
    with (
        leaks.user_calls(),
        pytest.raises((SSLError, botocore_conn_provider.StsExchangeError)),
    ):
        asyncio.run(ask_who_we_are())
    assert aws.requests == []


@pytest.mark.kerberos
@pytest.mark.usefixtures("ticket")
def test_saml_sign_in_serves_coroutines(
    aws: Aws,
    connection: Giver,
    leaks: Leaks,
    start_idp: StartIdp,
    ca: trustme.CA,
    tmp_path: Path,
) -> None:
    signed = sign_response(tmp_path, ca, grants=(f"{ANALYST},{PROVIDER}",))
    with start_idp({"sign_in": True, "body": build_page(signed)}) as idp:
        connection.put_text(
            json.dumps(
                {
                    "extra": {
                        "role_arn": ANALYST,
                        "region_name": "eu-west-1",
                        "endpoint_url": aws.url,
                        "assume_role_method": "assume_role_with_saml",
                        "assume_role_with_saml": {
                            "idp_url": idp.url(),
                            "idp_auth_method": "http_spegno_auth",
                        },
                        "service_config": {"sts": {"endpoint_url": aws.url}},
                    }
                }
            )
        )
        with leaks.user_calls():
            arn = asyncio.run(ask_who_we_are())
    assert ":assumed-role/analyst/" in arn
    assert [r.action for r in aws.sts_requests][:1] == ["AssumeRoleWithSAML"]
