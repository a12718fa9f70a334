"""MSK: the token in the first message that kafka-python sends to a broker."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.signers.conftest import ONE_REQUEST_SECONDS
from tests.signers.libraries import OTHER, SESSION
from tests.signers.signatures import Signed, check_url

if TYPE_CHECKING:
    from tests.signers.conftest import Programs

# What is sent goes to standard output: a secret, which the leak check would find.
BEGIN = """
import json
from kafka.net.sasl.oauth import SaslMechanismOAuth
sent = []
def connect(tokens):
    sent.append(SaslMechanismOAuth(sasl_oauth_token_provider=tokens).auth_bytes())
def end():
    import requests
    requests.post(sys.argv[1] + "/kafka", data=json.dumps([s.decode() for s in sent]))
"""
EXAMPLE = """
import msk_iam
tokens = msk_iam.MskTokens(s)
call = lambda: connect(tokens)
"""
BY_ITSELF = """
from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
from kafka.net.sasl.oauth import AbstractTokenProvider
class Tokens(AbstractTokenProvider):
    def token(self):
        return MSKAuthTokenProvider.generate_auth_token("eu-west-1")[0]
call = lambda: connect(Tokens())
"""
# Below boto3, where that signer looks.
RENEW_BELOW = """
import botocore.session
looked_at = RenewedAtEachLook()
botocore.session.Session.get_credentials = lambda _: looked_at
"""
KAFKAS_OWN = """
from kafka.net.sasl.msk import SaslMechanismAwsMskIam
def call():
    mechanism = SaslMechanismAwsMskIam(security_protocol="SASL_SSL", host="b-1.msk")
    sent.append(mechanism.auth_bytes())
"""


def list_sent(programs: Programs) -> list[str]:
    """Return what the program would have sent to a broker."""
    ((request, _),) = programs.service.requests
    messages: list[str] = json.loads(request.body)
    return messages


def list_signers(programs: Programs) -> list[Signed]:
    return [read_token(message, programs) for message in list_sent(programs)]


def read_token(message: str, programs: Programs) -> Signed:
    token = message.removeprefix("n,,\x01auth=Bearer ").rstrip("\x01")
    url = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    return check_url(url, programs.aws.issued_keys)


def is_kafkas(signed: Signed) -> bool:
    return signed.service == "kafka-cluster" and signed.is_right


def test_each_connection_to_a_broker_has_a_token_of_the_current_set(
    programs: Programs,
) -> None:
    code = BEGIN + EXAMPLE
    programs.run(SESSION + code + "look(call, s)\nend()", ends_in=ONE_REQUEST_SECONDS)

    signers = list_signers(programs)
    assert [each.key_id for each in signers] == programs.issued
    assert all(map(is_kafkas, signers))
    assert len(signers) == 2


def test_token_is_of_one_set(programs: Programs) -> None:
    code = SESSION + "renew_at_each_look()\n" + BEGIN + EXAMPLE
    programs.run(code + "call()\nend()")

    assert all(map(is_kafkas, list_signers(programs)))


def test_token_of_the_default_credentials_is_made_of_pieces(programs: Programs) -> None:
    code = SESSION + BEGIN + BY_ITSELF
    programs.run(code + RENEW_BELOW + "call()\nend()")

    assert not any(map(is_kafkas, list_signers(programs))), (
        "the MSK signer signs with one set now: say so in docs/signers.md"
    )


@pytest.mark.parametrize("code", [BY_ITSELF, KAFKAS_OWN])
def test_other_ways_use_the_connection_too(programs: Programs, code: str) -> None:
    programs.environ |= programs.machine.environment_keys
    programs.run(
        SESSION + BEGIN + code + "look(call, s)\nend()", ends_in=ONE_REQUEST_SECONDS
    )

    assert len(programs.issued) == 2
    for key_id, message in zip(programs.issued, list_sent(programs), strict=True):
        assert key_id in read_text(message)


def read_text(message: str) -> str:
    if message.startswith("{"):
        return message
    token: Any = message.removeprefix("n,,\x01auth=Bearer ").rstrip("\x01")
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()


def test_token_of_another_connection(programs: Programs) -> None:
    programs.run(OTHER + BEGIN + EXAMPLE + "call()\nend()")

    assert programs.roles == ["arn:aws:iam::123456789012:role/other"]
    (signed,) = list_signers(programs)
    assert is_kafkas(signed)


@pytest.mark.parametrize("code", [EXAMPLE, BY_ITSELF, KAFKAS_OWN])
def test_wrong_connection_gives_no_token(programs: Programs, code: str) -> None:
    programs.break_connection()
    programs.environ |= programs.machine.environment_keys
    told = programs.fail(SESSION + BEGIN + code + "call()\nend()")

    assert "Connection 'aws_default'" in told
    assert programs.service.requests == []
