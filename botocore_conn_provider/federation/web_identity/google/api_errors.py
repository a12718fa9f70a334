"""Say what an answer of Google's that is no 200 means, without showing its body.

Google's own words are the best hint there is, so its error code and message are
shown, in the two forms that its servers use; whatever looks like a key or a token
in them is masked first.
"""

from __future__ import annotations

import json

from botocore_conn_provider.federation.web_identity.bounded_http import Advice, Refusal
from botocore_conn_provider.network_faults import FaultFields
from botocore_conn_provider.redaction import show_words

LONGEST_REASON = 240

# What can be set about the way to Google, and to a metadata server.
FIELDS = FaultFields(
    address="the addresses in the credentials file",
    verify="REQUESTS_CA_BUNDLE",
    proxies="HTTPS_PROXY",
    timeout="'botocore_conn_provider.sign_in_deadline_seconds'",
)
METADATA_FIELDS = FIELDS._replace(address="GCE_METADATA_HOST")

METADATA_PATH = "/computeMetadata/"


def advise(refusal: Refusal) -> Advice:
    """Return the server's reason and what to do about it."""
    return Advice(_read_reason(refusal.body), _find_hint(refusal))


def _read_reason(body: bytes) -> str:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(said, dict):
        return ""
    error = said.get("error")
    if isinstance(error, dict):  # Google's APIs
        parts = [error.get("status"), error.get("message")]
    else:  # OAuth 2.0, RFC 6749 section 5.2
        parts = [error, said.get("error_description")]
    said = ": ".join(str(part) for part in parts if part)
    return show_words(said, LONGEST_REASON)


def _find_hint(refusal: Refusal) -> str:
    if refusal.path.startswith(METADATA_PATH):
        return METADATA_HINTS.get(refusal.status, "")
    if refusal.path.endswith(":generateIdToken"):
        return IMPERSONATION_HINTS.get(refusal.status, "")
    return TOKEN_HINTS.get(refusal.status, "")


METADATA_HINTS = {
    400: "Check 'assume_role_with_web_identity_federation_audience'.",
    403: (
        "On GKE, let the Kubernetes service account use the Google one"
        " (roles/iam.workloadIdentityUser)."
    ),
    404: (
        "Attach a service account to this machine; on GKE, switch Workload Identity"
        " on for the node pool."
    ),
}
IMPERSONATION_HINTS = {
    403: (
        "Grant the source the role roles/iam.serviceAccountOpenIdTokenCreator on the"
        " service account, and enable the API iamcredentials.googleapis.com."
    ),
    404: "Check the name of the service account.",
}
TOKEN_HINTS = {
    400: (
        "The key or the sign-in may be revoked or expired, or this machine's clock"
        " may be wrong."
    ),
    401: "The key or the sign-in is not known to Google; make a new one.",
    403: "Check that the account may use this Google project.",
    404: "Check 'token_uri' or 'token_url' in the credentials file.",
}
