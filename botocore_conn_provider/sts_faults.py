"""Say what went wrong at STS in words that are fit for a log.

What STS and botocore say is not passed on as it is: a SignatureDoesNotMatch quotes
the canonical request, a parser's error the whole answer, a validation error the
parameters. So a refusal gives its code and first line, and an error of botocore
its class, with its text only where that quotes nothing.
"""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's name
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    UnauthorizedSSOTokenError,
)

from botocore_conn_provider.connection.urls import show_origin
from botocore_conn_provider.errors import StsExchangeError, shorten

FIRST_SERVER_ERROR = 500
THROTTLED = ("Throttling", "ThrottlingException", "RequestLimitExceeded", "SlowDown")

NETWORK = (ConnectionError, HTTPClientError)
QUOTES_NOTHING = (
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    UnauthorizedSSOTokenError,
)


def explain_refusal(
    error: ClientError, role_arn: str, *, conn_id: str
) -> StsExchangeError:
    """Return the error for what STS refused, with its code."""
    answer = error.response
    code = str(answer.get("Error", {}).get("Code", "Unknown"))
    message = str(answer.get("Error", {}).get("Message", "")).partition("\n")[0]
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return StsExchangeError(
        conn_id=conn_id,
        cause=f"STS refused {error.operation_name} of {role_arn}:"
        f" {shorten(code, 60)}: {shorten(message, 400)}",
        hint=HINTS.get(code, ""),
        retryable=code in THROTTLED or status >= FIRST_SERVER_ERROR,
    )


def explain_failure(
    error: BotoCoreError, role_arn: str, *, conn_id: str
) -> StsExchangeError:
    """Return the error for a call that botocore could not make."""
    cause = f"The credentials for {role_arn} could not be fetched: "
    cause += type(error).__name__
    if isinstance(error, NETWORK):
        hint = "Check the network, the proxies, 'verify' and the STS endpoint."
        cause += _show_host(error)
        return StsExchangeError(conn_id=conn_id, cause=cause, hint=hint, retryable=True)
    if isinstance(error, QUOTES_NOTHING):
        cause += f": {shorten(str(error), 400)}"
    return StsExchangeError(conn_id=conn_id, cause=f"{cause.rstrip('.')}.")


def explain_nonsense(seen: str, *, conn_id: str) -> StsExchangeError:
    """Return the error for an answer that is none of STS."""
    hint = "Check the STS endpoint and the proxy."
    return StsExchangeError(conn_id=conn_id, cause=seen, hint=hint)


def _show_host(error: BotoCoreError) -> str:
    parts = vars(error).get("kwargs", {})
    url = parts.get("endpoint_url") or parts.get("proxy_url")
    return f" ({show_origin(url)})." if isinstance(url, str) else "."


HINTS = {
    "AccessDenied": (
        "Check the role's trust policy, its conditions (ExternalId among them) and"
        " that the base identity may call it."
    ),
    "ExpiredToken": "The proof or the base keys have expired; renew them.",
    "ExpiredTokenException": "The proof has expired; check the clock of this machine.",
    "InvalidClientTokenId": "Check the access key id and, for temporary keys,"
    " aws_session_token.",
    "SignatureDoesNotMatch": "Check the secret key and the clock of this machine.",
    "InvalidIdentityToken": "Check that the identity provider is registered in IAM"
    " with this issuer and audience.",
    "RegionDisabledException": "Activate STS for that region, or name another region.",
    "ValidationError": "Check the role's parameters in the connection.",
}
