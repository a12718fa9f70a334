"""Realm, Apache, signed assertion and moto's STS, as a user has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from moto.server import ThreadedMotoServer

from botocore_conn_provider.connection.settings import (
    AssumeRoleWithSaml,
    ClientSettings,
    SamlSignIn,
)
from botocore_conn_provider.exchange.sts import StsExchange, create_sts_client
from botocore_conn_provider.secret import Options
from tests.federation.saml.apache import run_apache
from tests.federation.saml.asking import build_fetcher, build_page
from tests.federation.saml.signing import ACCOUNT, PROVIDER, ROLE, sign_response

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import trustme

    from tests.federation.saml.realm import Realm

pytestmark = pytest.mark.kerberos


@pytest.fixture
def sts_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.mark.usefixtures("ticket")
@pytest.mark.parametrize(
    ("auth", "statuses"), [({}, [401, 200]), ({"opportunistic_auth": True}, [200])]
)
@pytest.mark.parametrize("mode", ["REQUIRED", "OPTIONAL", "DISABLED"])
def test_apache_is_signed_in_to(
    mode: str,
    auth: dict[str, bool],
    statuses: list[int],
    realm: Realm,
    signed: str,
) -> None:
    with run_apache(realm, build_page(signed)) as apache:
        options = {"auth": auth, "mutual_authentication": mode}
        proof = build_fetcher(apache.url, sign_in=options).fetch_proof()

        assert apache.statuses(len(statuses)) == statuses
    assert (proof.assertion.reveal(), proof.principal_arn) == (signed, PROVIDER)


@pytest.mark.usefixtures("ticket")
def test_proof_is_exchanged_with_one_call(
    realm: Realm, ca: trustme.CA, tmp_path: Path, sts_url: str
) -> None:
    signed = sign_response(
        tmp_path, ca, grants=(f"{ROLE},{PROVIDER}",)
    )  # as moto wants
    calls: list[str] = []
    session = botocore.session.Session()

    def note(**event: Any) -> None:
        calls.append(str(event["request"].url))

    session.register("before-send.sts", note)
    settings = ClientSettings(service_endpoints=Options({"sts": sts_url}))
    session.set_config_variable("region", "eu-west-1")
    with run_apache(realm, build_page(signed)) as apache:
        role = AssumeRoleWithSaml(role_arn=ROLE, sign_in=SamlSignIn(apache.url))
        proof = build_fetcher(apache.url).fetch_proof()
    client = create_sts_client(session, settings)
    credentials = StsExchange(client, conn_id="corp").assume_role_with_saml(
        role, principal_arn=proof.principal_arn, assertion=proof.assertion
    )

    assert credentials.account_id == ACCOUNT
    assert len(calls) == 1
