"""Sign in at an IdP for a SAML assertion, which proves the user to STS.

This module and `saml_proof` load without the extra `[saml]`; all that needs it is
loaded by the first check or sign-in.
"""

from __future__ import annotations

from botocore_conn_provider.federation.saml.saml_proof import (
    SamlProof,
    SamlProofFetcher,
)

__all__ = ["SamlProof", "SamlProofFetcher"]
