"""The trust policy that a connection's role needs, as far as it can be known offline.

Source: IAM User Guide, "How to use an external ID", "Configuring SAML assertions",
"AssumeRoleWithWebIdentity"; the SAML endpoints are in "SAML 2.0 federation".
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.cli.explain.accounts import find_key_account
from botocore_conn_provider.connection.settings import (
    AssumeRole,
    AssumeRoleWithSaml,
    AssumeRoleWithWebIdentity,
)
from botocore_conn_provider.federation.web_identity.claims import Claims, decode_claims
from botocore_conn_provider.federation.web_identity.refused_token import (
    build_trust_policy,
)
from botocore_conn_provider.secret import Secret

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import AwsSettings

VERSION = "2012-10-17"
SIGN_IN_PAGES = {
    "aws-cn": "https://signin.amazonaws.cn/saml",
    "aws-us-gov": "https://signin.amazonaws-us-gov.com/saml",
}
SIGN_IN_PAGE = "https://signin.aws.amazon.com/saml"
UNKNOWN_ACCOUNT = "<account of the base identity>"
UNKNOWN_PROVIDER = "<SAML provider of the IdP>"
GOOGLE_ISSUER = "https://accounts.google.com"
UNKNOWN_SUBJECT = "<unique id of the service account>"


def find_trust_policy(settings: AwsSettings) -> dict[str, Any] | None:
    """Return the least policy; what is not known stands in angle brackets.

    None without a role, and for a token that says nothing of itself yet.
    """
    role = settings.role
    if isinstance(role, AssumeRole):
        return _trust_account(settings, role)
    if isinstance(role, AssumeRoleWithSaml):
        return _trust_idp(role)
    if isinstance(role, AssumeRoleWithWebIdentity):
        claims = _foresee_claims(role)
        return None if claims is None else build_trust_policy(claims, role.role_arn)
    return None


def _trust_account(settings: AwsSettings, role: AssumeRole) -> dict[str, Any]:
    account = settings.keys and find_key_account(settings.keys)
    partition = role.role_arn.split(":")[1]
    arn = f"arn:{partition}:iam::{account or UNKNOWN_ACCOUNT}:root"
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": arn},
        "Action": "sts:AssumeRole",
    }
    external_id = role.parameters.get("ExternalId")
    if external_id is not None:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    return {"Version": VERSION, "Statement": [statement]}


def _trust_idp(role: AssumeRoleWithSaml) -> dict[str, Any]:
    page = SIGN_IN_PAGES.get(role.role_arn.split(":")[1], SIGN_IN_PAGE)
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": role.principal_arn or UNKNOWN_PROVIDER},
        "Action": "sts:AssumeRoleWithSAML",
        "Condition": {"StringEquals": {"SAML:aud": page}},
    }
    return {"Version": VERSION, "Statement": [statement]}


def _foresee_claims(role: AssumeRoleWithWebIdentity) -> Claims | None:
    """Return what the next token will say, of a file what the present one says."""
    if role.token_source == "google":  # noqa: S105 - a name
        audience = (role.audience,) if role.audience else ()
        return Claims(
            issuer=GOOGLE_ISSUER,
            audience=audience,
            authorized_party=UNKNOWN_SUBJECT,
            subject=UNKNOWN_SUBJECT,
        )
    if role.token_source != "file" or not role.token_file:  # noqa: S105 - a name
        return None
    try:
        token = Path(role.token_file).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, RuntimeError):
        return None
    return decode_claims(Secret(token.strip()))
