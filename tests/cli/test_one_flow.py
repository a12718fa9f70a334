"""A program, `credential-process` and `doctor` run the same flow.

Each exchange is run by all three against one AWS and one IdP, and what these saw is
compared. Then the flow itself is changed: whoever does not run it would not notice.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest

import botocore_conn_provider
from botocore_conn_provider.cli.process_credentials import issue
from botocore_conn_provider.errors import CredentialFetchError
from botocore_conn_provider.exchange import sts
from botocore_conn_provider.exchange.assume_role_flow import AssumeRoleFlow
from botocore_conn_provider.exchange.saml_flow import SamlFlow
from botocore_conn_provider.exchange.web_identity_flow import WebIdentityFlow
from botocore_conn_provider.renewal.registry import keepers
from botocore_conn_provider.secret import Options
from tests.cli.conftest import CONNECTION, ROLE
from tests.federation.saml.asking import build_page
from tests.federation.saml.signing import PROVIDER, sign_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import trustme

    from tests.aws import Aws, AwsRequest
    from tests.cli.conftest import Command
    from tests.federation.saml.parts import StartIdp
    from tests.leaks import Leaks, Secrets

OPERATIONS = {
    "AssumeRole": "assume_role",
    "AssumeRoleWithSAML": "assume_role_with_saml",
    "AssumeRoleWithWebIdentity": "assume_role_with_web_identity",
}


class Scene(NamedTuple):
    """An arranged connection, and what its prover has seen so far."""

    action: str
    count_proofs: Callable[[], int]


@pytest.fixture
def arrange_keys(aws: Aws, secrets: Secrets) -> Callable[[dict[str, Any]], Scene]:
    def arrange(document: dict[str, Any]) -> Scene:
        document["login"] = secrets.new_access_key_id()
        document["password"] = secrets.new("secret key")
        assert aws.url
        return Scene("AssumeRole", lambda: 0)

    return arrange


@pytest.fixture
def arrange_token(secrets: Secrets, tmp_path: Path) -> Callable[..., Scene]:
    def arrange(document: dict[str, Any]) -> Scene:
        token = tmp_path / "token"
        token.write_text(secrets.new("opaque"))
        document["extra"] |= {
            "assume_role_method": "assume_role_with_web_identity",
            "assume_role_with_web_identity_federation": "file",
            "assume_role_with_web_identity_token_file": str(token),
            # The default name holds the time.
            "assume_role_kwargs": {"RoleSessionName": "one-flow"},
        }
        return Scene("AssumeRoleWithWebIdentity", lambda: 0)

    return arrange


@pytest.fixture
def arrange_saml(
    start_idp: StartIdp,
    ca: trustme.CA,
    ticket: str,  # noqa: ARG001 - being in the realm
    tmp_path: Path,
) -> Iterator[Callable[..., Scene]]:
    signed = sign_response(tmp_path, ca, grants=(f"{ROLE},{PROVIDER}",))
    with start_idp({"sign_in": True, "body": build_page(signed)}) as idp:

        def arrange(document: dict[str, Any]) -> Scene:
            document["extra"] |= {
                "assume_role_method": "assume_role_with_saml",
                "assume_role_with_saml": {
                    "idp_url": idp.url(),
                    "idp_auth_method": "http_spegno_auth",
                },
            }
            return Scene("AssumeRoleWithSAML", lambda: len(idp.seen))

        yield arrange


@pytest.fixture(
    params=[
        "arrange_keys",
        "arrange_token",
        pytest.param("arrange_saml", marks=pytest.mark.kerberos),
    ]
)
def scene(
    request: pytest.FixtureRequest, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> Scene:
    document: dict[str, Any] = {
        "extra": {
            "role_arn": ROLE,
            "region_name": "eu-west-1",
            "service_config": {"sts": {"endpoint_url": aws.url}},
        }
    }
    made: Scene = request.getfixturevalue(request.param)(document)
    monkeypatch.setenv(CONNECTION, json.dumps(document))
    monkeypatch.setenv("BOTOCORE_CONN_STORE", "off")
    return made


def run_program(leaks: Leaks) -> None:
    keepers.forget()
    with leaks.user_calls():
        session = botocore_conn_provider.session("aws_default")
        assert isinstance(session, boto3.Session)
        credentials = session.get_credentials()
        assert credentials is not None
        credentials.get_frozen_credentials()


def list_exchanges(aws: Aws, action: str) -> list[AwsRequest]:
    return [request for request in aws.sts_requests if request.action == action]


def test_all_three_prove_and_exchange_alike(
    scene: Scene, aws: Aws, command: Command, leaks: Leaks
) -> None:
    proofs = []
    for run in (
        lambda: run_program(leaks),
        lambda: issue(None, deadline_seconds=30),
        lambda: command("doctor", "--json"),
    ):
        before = scene.count_proofs()
        run()
        proofs.append(scene.count_proofs() - before)

    program, process, doctor = list_exchanges(aws, scene.action)
    for other in (process, doctor):
        assert other.parameters == program.parameters
        assert other.access_key_id == program.access_key_id
        assert other.region == program.region
    assert len(set(proofs)) == 1


def test_a_change_in_the_flow_is_seen_by_doctor(
    scene: Scene, aws: Aws, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = OPERATIONS[scene.action]
    original = getattr(sts.StsExchange, operation)

    def call_otherwise(self: Any, role: Any, **proof: Any) -> Any:
        parameters = Options({**role.parameters, "DurationSeconds": 901})
        return original(self, role._replace(parameters=parameters), **proof)

    monkeypatch.setattr(sts.StsExchange, operation, call_otherwise)
    command("doctor", "--json")

    (request,) = list_exchanges(aws, scene.action)
    assert request.parameters["DurationSeconds"] == "901"


@pytest.mark.parametrize("step", ["identify", "prove", "exchange"])
@pytest.mark.parametrize("run", ["doctor", "credential-process"])
def test_a_step_that_is_replaced_is_not_gone_around(
    run: str,
    step: str,
    scene: Scene,
    aws: Aws,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise CredentialFetchError(conn_id="aws_default", cause="replaced by the test.")

    for kind in (AssumeRoleFlow, SamlFlow, WebIdentityFlow):
        monkeypatch.setattr(kind, step, refuse)

    said = command(run)

    assert said.code == 1
    assert "replaced by the test" in said.out + said.err
    assert list_exchanges(aws, scene.action) == []
