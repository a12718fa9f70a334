"""The metadata server: the identity of the machine that we run on.

Asked once and directly, with no look-up of the account before. The wait for a server
that may not exist is short: where there is a sign of Google's cloud, it is for a
connection only, since a token may take longer; elsewhere it is for the token, and the
server's absence is final.

Source: Google Cloud, "Verify VM identity"; google.auth.environment_vars.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from botocore_conn_provider.errors import WebIdentityTokenError
from botocore_conn_provider.federation.deadline import (
    Deadline,
    DeadlineExceededError,
    run_within,
)
from botocore_conn_provider.federation.web_identity.google.adc import (
    VARIABLE,
    find_gcloud_file,
)
from botocore_conn_provider.network_faults import explain_fault

if TYPE_CHECKING:
    from collections.abc import Mapping

# A server that exists answers in milliseconds; an unknown name can take
# a resolver half a minute.
DETECTION_SECONDS = 5.0

DEFAULT_HOST = "metadata.google.internal"
LINK_LOCAL = "169.254.169.254"
TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/identity"  # noqa: S105 - an address
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


def find_host(environ: Mapping[str, str]) -> str:
    """Return the metadata server's name, with a port if one is named."""
    named = environ.get("GCE_METADATA_HOST") or environ.get("GCE_METADATA_ROOT")
    return named or DEFAULT_HOST


def list_hosts(environ: Mapping[str, str]) -> set[str]:
    """Return the metadata server's names, without ports."""
    return {DEFAULT_HOST, LINK_LOCAL, find_host(environ).partition(":")[0]}


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


def require_reachable(environ: Mapping[str, str], *, conn_id: str) -> None:
    """Connect to the metadata server; an unknown name has no time-out of its own.

    Raises:
        WebIdentityTokenError: It cannot be reached within `DETECTION_SECONDS`.
    """
    from botocore_conn_provider.federation.web_identity.google.api_errors import (
        METADATA_FIELDS,  # with it comes the extra [google]
    )

    host, _, port = find_host(environ).partition(":")

    def connect() -> None:
        address = (host, int(port) if port.isdigit() else 80)
        socket.create_connection(address, DETECTION_SECONDS).close()

    try:
        run_within(Deadline(DETECTION_SECONDS), connect)
    except DeadlineExceededError:
        seen = f"it cannot be reached within {DETECTION_SECONDS:g} s"
    except OSError as error:
        seen = explain_fault(error, host, METADATA_FIELDS).cause.rstrip(".")
    else:
        return
    sign = next((name for name in SIGNS if environ.get(name)), "The machine's model")
    raise WebIdentityTokenError(
        conn_id=conn_id,
        cause=f"the metadata server is dead: {seen}. {sign} says that there is one.",
        hint=f"Check the machine's network, or set {VARIABLE}.",
        retryable=True,
    )


def ask_metadata(request: Any, audience: str, environ: Mapping[str, str]) -> str:
    """Return the machine's ID token. Makes one request.

    Not by google-auth, which takes the server's name from the environment once, when it
    is imported, and looks up the account's e-mail before.
    """
    query = urlencode({"audience": audience, "format": "full"})
    answer = request(
        url=f"http://{find_host(environ)}{TOKEN_PATH}?{query}",
        method="GET",
        headers={"Metadata-Flavor": "Google"},
    )
    token: str = answer.data.decode("ascii")
    return token.strip()  # some servers end it with a newline
