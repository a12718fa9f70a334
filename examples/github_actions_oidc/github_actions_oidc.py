"""A token source: the OIDC token of the GitHub Actions job that runs this.

Installed beside botocore-conn-provider it gives the connection's
`assume_role_with_web_identity_federation` the value `github_actions`. The job needs
`permissions: id-token: write`.

Source: GitHub docs, OpenID Connect reference, "Methods for requesting the token".
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from botocore_conn_provider import WebIdentityTokenError
from botocore_conn_provider.plugins import Secret

if TYPE_CHECKING:
    from botocore_conn_provider.plugins import TokenRequest

URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105 - its name
# The audience that AWS's own documentation registers for GitHub.
AUDIENCE = "sts.amazonaws.com"
LARGEST_BODY_BYTES = 100_000


class GitHubActionsTokens:
    """Asks GitHub for a new token at each exchange."""

    def __init__(self, request: TokenRequest) -> None:
        self._request = request

    def check(self) -> None:
        """Refuse to run outside a job that may have tokens."""
        if not all(self._request.environ.get(name) for name in (URL, TOKEN)):
            raise self._error(
                f"{URL} or {TOKEN} is not set.",
                "Give the job 'permissions: id-token: write'.",
            )

    def fetch(self) -> Secret:
        """Return a new token. Makes one request."""
        audience = quote(self._request.audience or AUDIENCE, safe="")
        url = f"{self._request.environ[URL]}&audience={audience}"
        bearer = {"Authorization": f"bearer {self._request.environ[TOKEN]}"}
        asked = urllib.request.Request(url, headers=bearer)  # noqa: S310 - GitHub's own
        host = urlsplit(url).hostname
        try:
            with urllib.request.urlopen(  # noqa: S310 - as above
                asked, timeout=self._request.deadline_seconds
            ) as answer:
                return Secret(json.loads(answer.read(LARGEST_BODY_BYTES))["value"])
        except urllib.error.HTTPError as error:
            status = error.code
            error.close()
            raise self._error(
                f"{host} answered {status}.",
                "The job's right to ask may have ended.",
                retryable=status >= 500,  # noqa: PLR2004 - the server's own fault
            ) from None
        except OSError as error:
            seen = f"{host} could not be asked ({type(error).__name__})."
            raise self._error(seen, "", retryable=True) from None
        except (ValueError, LookupError, TypeError):
            raise self._error(f"{host} answered without a token.", "") from None

    def _error(
        self, cause: str, hint: str, *, retryable: bool = False
    ) -> WebIdentityTokenError:
        return WebIdentityTokenError(
            conn_id=self._request.conn_id, cause=cause, hint=hint, retryable=retryable
        )
