"""A token from Google, a file or a plug-in, for AssumeRoleWithWebIdentity."""

from __future__ import annotations

from botocore_conn_provider.federation.web_identity.claims import (
    Claims,
    decode_claims,
    list_condition_keys,
)
from botocore_conn_provider.federation.web_identity.identity_token import (
    IdentityToken,
    WebIdentityTokenFetcher,
)
from botocore_conn_provider.federation.web_identity.refused_token import (
    build_trust_policy,
    describe_claims,
    explain_refusal,
)

__all__ = [
    "Claims",
    "IdentityToken",
    "WebIdentityTokenFetcher",
    "build_trust_policy",
    "decode_claims",
    "describe_claims",
    "explain_refusal",
    "list_condition_keys",
]
