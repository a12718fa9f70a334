"""Really signed SAML responses, as an IdP makes them (pysaml2 with xmlsec1)."""

from __future__ import annotations

import base64
import shutil
import warnings
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/analyst"
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"
TWICE_ROLE = f"arn:aws:iam::{ACCOUNT}:role/twice"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:saml-provider/corp"
SECOND_PROVIDER = f"arn:aws:iam::{ACCOUNT}:saml-provider/second"
ISSUER = "https://idp.corp.test/saml"
AWS = "urn:amazon:webservices"
AWS_METADATA = f"""<md:EntityDescriptor
  xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{AWS}">
 <md:SPSSODescriptor WantAssertionsSigned="true"
   protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
  <md:AssertionConsumerService index="1" isDefault="true"
    Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
    Location="https://signin.aws.amazon.com/saml"/>
 </md:SPSSODescriptor>
</md:EntityDescriptor>"""


GRANTS = (
    f"{ROLE},{PROVIDER}",
    f"{PROVIDER} , {OTHER_ROLE}",
    f"{TWICE_ROLE},{PROVIDER}",
    f"{TWICE_ROLE},{SECOND_PROVIDER}",
)


def sign_response(
    directory: Path, ca: trustme.CA, *, grants: tuple[str, ...] = GRANTS
) -> str:
    """Return the base64 text of a signed response that grants these roles."""
    binary = shutil.which("xmlsec1")
    assert binary, "xmlsec1 is missing: apt-get install xmlsec1"
    # RSA: pysaml2 signs with rsa-sha only.
    issued = ca.issue_cert("idp.corp.test", key_type=trustme.KeyType.RSA)
    key, certificate = directory / "saml-key.pem", directory / "saml-cert.pem"
    issued.private_key_pem.write_to_path(str(key))
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pysaml2's own, of its dependencies
        xml = _make(binary, key, certificate, grants)
    return base64.b64encode(xml.encode()).decode()


def _make(binary: str, key: Path, certificate: Path, grants: tuple[str, ...]) -> str:
    from saml2 import config, saml, server

    settings = config.IdPConfig()
    settings.load(
        {
            "entityid": ISSUER,
            "xmlsec_binary": binary,
            "key_file": str(key),
            "cert_file": str(certificate),
            "metadata": {"inline": [AWS_METADATA]},
            "service": {"idp": {"policy": {"default": {"lifetime": {"minutes": 5}}}}},
        }
    )
    response = server.Server(config=settings).create_authn_response(
        {
            "https://aws.amazon.com/SAML/Attributes/Role": list(grants),
            "https://aws.amazon.com/SAML/Attributes/RoleSessionName": ["user"],
            "https://aws.amazon.com/SAML/Attributes/SessionDuration": ["3600"],
        },
        in_response_to=None,
        destination="https://signin.aws.amazon.com/saml",
        sp_entity_id=AWS,
        name_id=saml.NameID(format=saml.NAMEID_FORMAT_PERSISTENT, text="user"),
        authn={"class_ref": saml.AUTHN_PASSWORD_PROTECTED, "authn_auth": ISSUER},
        sign_assertion=True,
        sign_response=True,
    )
    return str(response)
