"""The metadata server: the identity of the machine that we run on.

Asked once and directly, with no ping and no look-up of the account before. Where
nothing says that this is Google's cloud, the wait for a server that may not exist
is short, and its absence is final.

Source: Google Cloud, "Verify VM identity"; google.auth.environment_vars.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - of a named tuple
from pathlib import Path
from typing import Any, NamedTuple

from botocore_conn_provider.errors import WebIdentityTokenError
from botocore_conn_provider.federation.web_identity.google.adc import (
    VARIABLE,
    find_gcloud_file,
)

# A server that exists answers in milliseconds; an unknown name can take
# a resolver half a minute.
DETECTION_SECONDS = 5.0

HOSTS = ("metadata.google.internal", "169.254.169.254")
# Set by the platforms (Cloud Run, App Engine) or by the user.
SIGNS = (
    "GCE_METADATA_HOST",
    "GCE_METADATA_ROOT",
    "K_SERVICE",
    "CLOUD_RUN_JOB",
    "GAE_ENV",
)
PRODUCT_NAME = Path("/sys/class/dmi/id/product_name")


def is_on_google(
    environ: Mapping[str, str], *, product_name: Path = PRODUCT_NAME
) -> bool:
    """Return whether there is a sign that a metadata server must be there."""
    if any(environ.get(sign) for sign in SIGNS):
        return True
    try:
        return product_name.read_text().startswith("Google")
    except (OSError, ValueError):
        return False


def list_hosts(environ: Mapping[str, str]) -> set[str]:
    """Return the metadata server's names, without ports."""
    named = [environ.get("GCE_METADATA_HOST"), environ.get("GCE_METADATA_ROOT")]
    return {*HOSTS, *(name.partition(":")[0] for name in named if name)}


def require_allowed(environ: Mapping[str, str], *, conn_id: str) -> None:
    """Refuse to ask where the user says that there is no metadata server."""
    if environ.get("NO_GCE_CHECK") == "true":
        raise build_absence(environ, conn_id=conn_id, seen="NO_GCE_CHECK is true")


def build_absence(
    environ: Mapping[str, str], *, conn_id: str, seen: str
) -> WebIdentityTokenError:
    """Return the error that Google's credentials are nowhere, and where we looked."""
    path = find_gcloud_file(environ)
    return WebIdentityTokenError(
        conn_id=conn_id,
        cause=(
            f"no Google credentials: {VARIABLE} is not set, gcloud's file ('{path}')"
            f" does not exist, and there is no metadata server ({seen})."
        ),
        hint=f"Set {VARIABLE}, or sign in with gcloud auth application-default login.",
    )


def ask_metadata(request: Any, audience: str) -> str:
    """Return the machine's ID token. Makes one request."""
    from google.auth import compute_engine  # extra [google]

    make: Any = compute_engine.IDTokenCredentials
    credentials = make(_answer_look_up, audience, use_metadata_identity_endpoint=True)
    credentials.refresh(request)
    return str(credentials.token)


class _LookUp(NamedTuple):
    """An answer of the metadata server, as google-auth reads it."""

    status: int = 200
    headers: Mapping[str, str] = {"content-type": "application/json"}
    data: bytes = b'{"email": ""}'


def _answer_look_up(**_: object) -> _LookUp:
    """Answer google-auth's look-up of the account's e-mail, which is not needed.

    Only its latest versions take no request at all to skip it.
    """
    return _LookUp()
