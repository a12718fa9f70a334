from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from botocore_conn_provider.errors import SamlResponseError
from tests.federation.saml.asking import build_fetcher
from tests.federation.saml.signing import ROLE

if TYPE_CHECKING:
    from tests.federation.saml.parts import StartIdp

pytestmark = pytest.mark.kerberos

CASES = json.loads(
    (Path(__file__).parents[2] / "cases" / "saml" / "pages.json").read_text("utf-8")
)
SAML = 'xmlns="urn:oasis:names:tc:SAML:2.0:protocol"'
STATUS = "urn:oasis:names:tc:SAML:2.0:status"
ERROR = (
    f'<Response {SAML}><Status><StatusCode Value="{STATUS}:Responder">'
    f'<StatusCode Value="{STATUS}:AuthnFailed"/></StatusCode>'
    "<StatusMessage>not assigned</StatusMessage></Status></Response>"
)
ENTITIES = f"<!DOCTYPE r [<!ENTITY a 'a'>]><Response {SAML}>&a;</Response>"
ENCRYPTED = (
    f"<Response {SAML}><EncryptedAssertion"
    ' xmlns="urn:oasis:names:tc:SAML:2.0:assertion"/></Response>'
)


def encode(xml: str) -> str:
    return base64.b64encode(xml.encode()).decode()


def build_body(case: dict[str, Any], signed: str) -> bytes:
    texts = {
        "{saml}": signed,
        "{saml_wrapped}": "\n  ".join(
            signed[i : i + 76] for i in range(0, len(signed), 76)
        ),
        "{saml_references}": "".join(f"&#x{ord(c):x};" for c in signed),
        "{xml}": base64.b64decode(signed).decode(),
        "{saml_error}": encode(ERROR),
        "{saml_entities}": encode(ENTITIES),
        "{saml_encrypted}": encode(ENCRYPTED),
        "{saml_roleless}": encode(f"<Response {SAML}/>"),
        "{long}": "A" * 100_004,
    }
    body = str(case["body"])
    for mark, text in texts.items():
        body = body.replace(mark, text)
    return body.encode(case.get("encoding", "utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
@pytest.mark.usefixtures("named_hosts")
def test_page_is_read_or_explained(
    case: dict[str, Any], start_idp: StartIdp, signed: str
) -> None:
    body = build_body(case, signed)
    headers = {"Content-Type": case.get("content_type", "text/html; charset=utf-8")}
    step = {"body": body, "headers": headers, "packed": case.get("packed")}
    with start_idp(step) as idp:
        fetcher = build_fetcher(
            idp.url(),
            role_arn=case.get("role", ROLE),
            principal_arn=case.get("principal"),
            sign_in={"saml_response_xpath": case.get("xpath")},
        )
        if "error" not in case:
            assertion = fetcher.fetch_proof().assertion.reveal()
            assert assertion in (signed, encode(ENCRYPTED))
            return
        with pytest.raises(SamlResponseError, match=case["error"]) as caught:
            fetcher.fetch_proof()

    assert signed[100:160] not in str(caught.value)
    assert not caught.value.retryable
