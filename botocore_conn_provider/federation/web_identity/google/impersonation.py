"""Ask IAM Credentials for the ID token of a service account that we may act for.

By hand and not with google-auth's `IDTokenCredentials`, which ignores the session
it is given (its proxies, its timeouts) and starts a thread that makes a further
request.

Source: IAM Service Account Credentials API, projects.serviceAccounts.generateIdToken.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from botocore_conn_provider.federation.web_identity.google.adc import (
        CredentialsFile,
    )

FIELD = "service_account_impersonation_url"
# The ends of URLs: names of methods.
ACCESS_TOKEN = ":generateAccessToken"  # noqa: S105 - no secret
ID_TOKEN = ":generateIdToken"  # noqa: S105 - no secret


def find_id_token_url(file: CredentialsFile) -> str:
    """Return the address that gives ID tokens beside the one in the file.

    Derived from it, so that regional and private addresses stay.

    Raises:
        WebIdentityTokenError: The file's address is none of IAM Credentials.
    """
    file.require(FIELD)
    url: str = file.info[FIELD]
    if not url.endswith(ACCESS_TOKEN) or "/serviceAccounts/" not in url:
        raise file.refuse(
            f"has a '{FIELD}' that names no service account",
            f"It ends with /serviceAccounts/<e-mail>{ACCESS_TOKEN}.",
        )
    return url.removesuffix(ACCESS_TOKEN) + ID_TOKEN


def request_id_token(
    request: Any,
    url: str,
    *,
    access_token: str,
    audience: str,
    delegates: Sequence[str],
) -> str:
    """Return the ID token. Makes one request.

    Raises:
        WebIdentityTokenError: Raised by `request` for everything but a 200.
        ValueError, LookupError, TypeError: The answer holds no token.
    """
    wanted = {"audience": audience, "delegates": delegates, "includeEmail": True}
    answer = request(
        url=url,
        method="POST",
        headers={
            "Authorization": f"Bearer {access_token}",
            "Content-Type": "application/json",
        },
        body=json.dumps(wanted).encode(),
    )
    return str(json.loads(answer.data)["token"])
