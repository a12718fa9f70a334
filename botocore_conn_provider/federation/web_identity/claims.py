"""Decode an identity token to explain it. Never to trust it: STS is the verifier.

AWS compares a role's trust policy with condition keys, and the names differ from
the claims: with `azp` in the token the key `aud` is `azp`, and Google's `oaud` is
what the token calls `aud`. Most failed federations are this mix-up.

Source: IAM User Guide, available keys for AWS OIDC federation; RFC 7519.
"""

from __future__ import annotations

import base64
import datetime
import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from botocore_conn_provider.secret import Secret

# STS API: WebIdentityToken is at most 20,000 characters long.
LONGEST_TOKEN = 20_000

GOOGLE = "accounts.google.com"


class Claims(NamedTuple):
    """What an ID token says of itself. Nothing of it is verified."""

    issuer: str | None = None
    audience: tuple[str, ...] = ()
    authorized_party: str | None = None
    subject: str | None = None
    email: str | None = None
    issued_at: datetime.datetime | None = None
    """Aware, UTC."""
    expires_at: datetime.datetime | None = None
    """Aware, UTC."""

    @property
    def provider(self) -> str | None:
        """The issuer as IAM writes it in condition keys and ARNs: no scheme."""
        if self.issuer is None:
            return None
        return self.issuer.partition("://")[2] or self.issuer


def find_flaw(token: Secret) -> str | None:
    """Say why `token` can be no token at all, None if it can be one.

    Opaque tokens are none of our business: they pass.
    """
    text = token.reveal()
    if not text:
        return "is empty"
    if len(text) > LONGEST_TOKEN:
        return f"is longer than the {LONGEST_TOKEN} characters that STS takes"
    if any(c.isspace() or not c.isprintable() for c in text):
        return "contains whitespace or control characters"
    return None


def decode_claims(token: Secret) -> Claims | None:
    """Return what the token says of itself, None for an opaque one."""
    parts = token.reveal().split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        return None
    try:
        said = json.loads(
            base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        )
    except (ValueError, RecursionError):
        return None
    return _read(said) if isinstance(said, dict) else None


def _read(said: dict[str, Any]) -> Claims:
    audience = said.get("aud")
    values = audience if isinstance(audience, list) else [audience]
    return Claims(
        issuer=_text(said.get("iss")),
        audience=tuple(value for value in values if isinstance(value, str)),
        authorized_party=_text(said.get("azp")),
        subject=_text(said.get("sub")),
        email=_text(said.get("email")),
        issued_at=_moment(said.get("iat")),
        expires_at=_moment(said.get("exp")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _moment(value: object) -> datetime.datetime | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return datetime.datetime.fromtimestamp(value, tz=datetime.timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None


def list_condition_keys(claims: Claims) -> dict[str, str]:
    """Return the IAM condition keys and the values that AWS will compare."""
    provider = claims.provider
    if provider is None:
        return {}
    aud = claims.audience[0] if claims.audience else None
    values = {
        f"{provider}:aud": claims.authorized_party or aud,
        f"{provider}:oaud": aud if provider == GOOGLE else None,
        f"{provider}:sub": claims.subject,
    }
    return {key: value for key, value in values.items() if value}
