"""Say why STS refused an identity token: its claims beside the policy that matches.

What AWS answers ("Not authorized to perform sts:AssumeRoleWithWebIdentity") names
neither side of the comparison. Both are known here, and neither is secret: the
token itself is never shown.
"""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.errors import LONGEST_MESSAGE, StsExchangeError
from botocore_conn_provider.federation.web_identity.claims import (
    GOOGLE,
    Claims,
    list_condition_keys,
)
from botocore_conn_provider.redaction import shorten

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import AssumeRoleWithWebIdentity
    from botocore_conn_provider.federation.web_identity.identity_token import (
        IdentityToken,
    )

LONGEST_CLAIM = 100


def explain_refusal(
    error: StsExchangeError, token: IdentityToken, role: AssumeRoleWithWebIdentity
) -> StsExchangeError:
    """Return `error` with the token's claims and the trust policy that would match.

    An error that a retry may cure (throttling, no network) is not about the token
    and comes back as it is, and so does one about an opaque token.
    """
    if error.retryable or token.claims is None:
        return error
    lines = [
        _without_hint(error),
        f"The token says: {describe_claims(token.claims)}.",
        *_judge_time(token.claims, _now()),
        error.hint,
        f"A trust policy that matches it: {_write_policy(token.claims, role.role_arn)}",
    ]
    return StsExchangeError(
        conn_id=error.conn_id,
        cause=shorten(" ".join(filter(None, lines)), LONGEST_MESSAGE - 100),
        code=error.code,
    )


def _now() -> datetime.datetime:
    return datetime.datetime.now(tz=datetime.timezone.utc)


def _without_hint(error: StsExchangeError) -> str:
    return f"{error.cause.rstrip('.')}."


def describe_claims(claims: Claims) -> str:
    """Return the claims as `name=value`, in the token's own words."""
    named = {
        "iss": claims.issuer,
        "aud": ", ".join(claims.audience),
        "azp": claims.authorized_party,
        "sub": claims.subject,
        "email": claims.email,
        "exp": claims.expires_at.isoformat() if claims.expires_at else None,
    }
    shown = [f"{k}={shorten(v, LONGEST_CLAIM)}" for k, v in named.items() if v]
    return " ".join(shown) or "nothing of itself"


def build_trust_policy(claims: Claims, role_arn: str) -> dict[str, Any]:
    """Return the least trust policy of `role_arn` that matches the token.

    Google is built into AWS; any other issuer is an IAM OIDC provider of the
    role's account.
    """
    provider = claims.provider or "the token names no issuer"
    partition, _, _, account = role_arn.split(":")[1:5]
    federated = f"arn:{partition}:iam::{account}:oidc-provider/{provider}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": GOOGLE if provider == GOOGLE else federated},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": list_condition_keys(claims)},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _write_policy(claims: Claims, role_arn: str) -> str:
    return json.dumps(build_trust_policy(claims, role_arn), separators=(",", ":"))


def _judge_time(claims: Claims, now: datetime.datetime) -> list[str]:
    """Say what is odd about the token's times, seen from this machine's clock."""
    clock = now.isoformat(timespec="seconds")
    if claims.expires_at is not None and claims.expires_at <= now:
        return [f"By this machine's clock ({clock}) it has expired."]
    if claims.issued_at is not None and claims.issued_at > now:
        return [f"By this machine's clock ({clock}) it is not issued yet: check it."]
    return []
