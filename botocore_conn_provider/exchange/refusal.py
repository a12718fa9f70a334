"""Say why an STS call failed, in words that are fit for a log.

The texts of STS and of botocore are not: a SignatureDoesNotMatch goes on with the
canonical request, session token included; a ValidationError quotes the value it
refuses, which may be the assertion; a parser's error quotes the body, and a
connection's error the whole URL. So STS's message is cut and masked, and of
botocore's errors the kind and the host are told, never the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, SSLError
from botocore.exceptions import ConnectionError as HostConnectionError

from botocore_conn_provider.network_faults import FaultFields, explain_fault
from botocore_conn_provider.redaction import show_origin, show_words

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_SERVER_ERROR = 500
# Source: botocore.retries.standard, which repeats these; the last is STS's own.
BUSY = (
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "SlowDown",
    "PriorRequestNotComplete",
    "RequestTimeout",
    "RequestTimeoutException",
    "IDPCommunicationError",
)

# Parameters whose values are no secret: the others are masked in STS's words.
OPEN_PARAMETERS = ("RoleArn", "PrincipalArn", "RoleSessionName", "DurationSeconds")

# What a connection can set about the way to STS.
FIELDS = FaultFields(
    address="'region_name' and 'service_config.sts.endpoint_url'",
    verify="'verify'",
    proxies="'config_kwargs.proxies', HTTPS_PROXY",
    timeout="'config_kwargs.read_timeout'",
)
CHECK_END = "Check the STS endpoint and the proxy."


class StsFailure(NamedTuple):
    """Why a call failed: the parts of a `CredentialFetchError`."""

    cause: str
    hint: str = ""
    retryable: bool = False
    code: str = ""


def explain(
    error: Exception, parameters: Mapping[str, Any], endpoint_url: str
) -> StsFailure:
    """Explain what a call of STS at `endpoint_url` with `parameters` ended in."""
    if isinstance(error, ClientError):
        return explain_refusal(error, parameters)
    role_arn = parameters["RoleArn"]
    if isinstance(error, BotoCoreError):
        return explain_failure(error, role_arn, endpoint_url)
    seen = f"{role_arn}: the answer is not one of STS ({type(error).__name__})."
    return StsFailure(seen, CHECK_END)


def explain_refusal(error: ClientError, parameters: Mapping[str, Any]) -> StsFailure:
    """Explain an error that STS answered; `parameters` are those of the call."""
    answer: Mapping[str, Any] = error.response
    code = str(answer.get("Error", {}).get("Code", "Unknown"))
    message = str(answer.get("Error", {}).get("Message", ""))
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return StsFailure(
        f"STS refused {error.operation_name} of {parameters['RoleArn']}:"
        f" {show_words(code, 60)}: {show_message(message, parameters)}",
        HINTS.get(code, ""),
        retryable=code in BUSY or status >= FIRST_SERVER_ERROR,
        code=show_words(code, 60),
    )


def show_message(message: str, parameters: Mapping[str, Any]) -> str:
    """Return the first line of a service's message without what may be secret."""
    known = [v for name, v in parameters.items() if name not in OPEN_PARAMETERS]
    return show_words(message.partition("\n")[0], known=known)


def explain_failure(
    error: BotoCoreError, role_arn: str, endpoint_url: str
) -> StsFailure:
    """Explain an error of botocore's own: no way to STS, no answer of STS."""
    start = f"The credentials for {role_arn} could not be fetched:"
    if not is_on_the_way(error):
        return StsFailure(f"{start} {type(error).__name__}.", CHECK_END)
    fault = explain_fault(error, show_origin(endpoint_url), FIELDS)
    retryable = not isinstance(error, SSLError)
    return StsFailure(f"{start} {fault.cause}", fault.hint, retryable=retryable)


def may_pass(error: Exception) -> bool:
    """Return whether what botocore's chain ended in may pass by itself."""
    if isinstance(error, ClientError):
        return explain_refusal(error, {"RoleArn": ""}).retryable
    if isinstance(error, BotoCoreError):
        return is_on_the_way(error) and not isinstance(error, SSLError)
    return False


def is_on_the_way(error: BotoCoreError) -> bool:
    """Return whether botocore failed between here and a server."""
    return isinstance(error, (HTTPClientError, HostConnectionError))


HINTS = {
    "AccessDenied": (
        "Check the role's trust policy with its conditions and, for AssumeRole, the"
        " ExternalId and that the base identity may call it."
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
