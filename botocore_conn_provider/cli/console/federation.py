"""Exchange temporary credentials for a sign-in token.

They go in the body and not in the address, as AWS's own toolkits send them: a proxy
that looks into TLS logs addresses. Nothing of an answer is shown, because it may
quote what was sent.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

import urllib3
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError

from botocore_conn_provider.errors import CredentialFetchError
from botocore_conn_provider.exchange.refusal import FIELDS
from botocore_conn_provider.network_faults import explain_fault
from botocore_conn_provider.redaction import show_origin
from botocore_conn_provider.secret import Secret
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    from botocore.httpsession import URLLib3Session

    from botocore_conn_provider.cli.process_credentials import IssuedKeys

LARGEST_BODY_BYTES = 256 * 1024
TOKEN = "SigninToken"  # noqa: S105 - a name
FAULT_FIELDS = FIELDS._replace(address="'region_name'")
ON_THE_WAY = (
    "Check what is on the way: a proxy, a firewall or a sign-in of the network."
)
TRY_AGAIN = "Try again a little later."


class FederationAnswer(NamedTuple):
    """What the endpoint said. `body` may hold a sign-in token."""

    status: int
    body: bytes

    def __repr__(self) -> str:
        return f"FederationAnswer({self.status})"


class Federation:
    """The federation endpoint of one partition.

    Args:
        url: Its address.
        http: What sends there, and follows no redirect.
        conn_id: The connection, for errors.
    """

    def __init__(self, url: str, http: URLLib3Session, *, conn_id: str) -> None:
        self._url, self._http, self._conn_id = url, http, conn_id

    @scrubbed
    def fetch_token(self, keys: IssuedKeys, seconds: int | None) -> Secret:
        """Return a sign-in token; `seconds` is how long its console session lasts.

        Raises:
            CredentialFetchError: The endpoint refused, or could not be reached.
        """
        answer = self._send(write_form(keys, seconds))
        if answer.status != HTTPStatus.OK:
            raise self._explain_status(answer.status, is_timed=seconds is not None)
        token = read_token(answer.body)
        if token is None:
            raise self._error("answered without a sign-in token", ON_THE_WAY)
        return token

    def _send(self, form: str) -> FederationAnswer:
        request: Any = AWSRequest(
            method="POST",
            url=self._url,
            data=form,
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept-Encoding": "identity",
            },
            stream_output=True,
        )
        try:
            answer: Any = self._http.send(request.prepare())
            with answer.raw as raw:
                return FederationAnswer(
                    answer.status_code, raw.read(LARGEST_BODY_BYTES)
                )
        except (BotoCoreError, urllib3.exceptions.HTTPError, OSError) as error:
            fault = explain_fault(error, show_origin(self._url), FAULT_FIELDS)
            raise CredentialFetchError(
                conn_id=self._conn_id,
                cause=fault.cause,
                hint=fault.hint,
                retryable=fault.is_transient,
            ) from None

    def _explain_status(self, status: int, *, is_timed: bool) -> CredentialFetchError:
        seen = f"answered {status} when it was asked for a sign-in token"
        is_busy = status == HTTPStatus.TOO_MANY_REQUESTS
        if is_busy or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return self._error(seen, TRY_AGAIN, retryable=True)
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            return self._error(f"{seen}: a redirect, which is not followed", ON_THE_WAY)
        hint = (
            "It takes credentials of a role or of GetFederationToken that have not"
            " expired, not those of GetSessionToken."
        )
        if is_timed:
            hint += " Or try without --duration."
        return self._error(seen, hint)

    def _error(
        self, seen: str, hint: str, *, retryable: bool = False
    ) -> CredentialFetchError:
        return CredentialFetchError(
            conn_id=self._conn_id,
            cause=f"{show_origin(self._url)} {seen}.",
            hint=hint,
            retryable=retryable,
        )


def write_form(keys: IssuedKeys, seconds: int | None) -> str:
    """Return the request's body. It holds secrets: never show it."""
    token = keys.session_token
    session = {
        "sessionId": str(keys.access_key_id),
        "sessionKey": keys.secret_access_key.reveal(),
        "sessionToken": token.reveal() if token else "",
    }
    fields = {"Action": "getSigninToken", "Session": json.dumps(session)}
    if seconds is not None:
        fields["SessionDuration"] = str(seconds)
    return urlencode(fields)


def read_token(body: bytes) -> Secret | None:
    """Return the token of an answer; None if there is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    token = document.get(TOKEN) if isinstance(document, dict) else None
    return Secret(token) if token and isinstance(token, str) else None
