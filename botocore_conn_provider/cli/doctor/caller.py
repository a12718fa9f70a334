"""Use the credentials: ask who we are, and probe one service with a harmless call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from botocore_conn_provider.errors import (
    CredentialFetchError,
    InvalidConnectionError,
    Problem,
)
from botocore_conn_provider.exchange.checks import build_config
from botocore_conn_provider.exchange.refusal import (
    FIELDS as STS_FIELDS,
)
from botocore_conn_provider.exchange.refusal import (
    HINTS,
    is_on_the_way,
    show_message,
)
from botocore_conn_provider.network_faults import explain_fault
from botocore_conn_provider.redaction import show_origin, show_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.exchange.unfitted_session import UnfittedSession
    from botocore_conn_provider.secret import KeyId, Secret

# Answers that are about us. Any other is about an endpoint that has no STS.
ABOUT_US = (
    "AccessDenied",
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
# Calls that read a list or less, need no parameters and cost nothing.
PROBES = {
    "s3": "list_buckets",
    "sts": "get_caller_identity",
    "dynamodb": "list_tables",
    "sqs": "list_queues",
    "sns": "list_topics",
    "kinesis": "list_streams",
    "lambda": "list_functions",
    "secretsmanager": "list_secrets",
    "ssm": "describe_parameters",
    "glue": "get_databases",
    "athena": "list_work_groups",
    "ec2": "describe_regions",
    "ecr": "describe_registry",
    "logs": "describe_log_groups",
}


FIELDS = STS_FIELDS._replace(
    address="'region_name', 'endpoint_url' and 'service_config'"
)


class Keys(Protocol):
    """What requests are signed with."""

    @property
    def access_key_id(self) -> KeyId: ...
    @property
    def secret_access_key(self) -> Secret: ...
    @property
    def session_token(self) -> Secret | None: ...


class CallerIdentity(NamedTuple):
    """Who STS says we are; a note instead if the endpoint has no STS."""

    account: str | None = None
    arn: str | None = None
    note: str | None = None


class Caller:
    """Makes clients as a program would get them, with the credentials found."""

    def __init__(
        self,
        settings: AwsSettings,
        base: UnfittedSession,
        issued: Keys | None,
    ) -> None:
        self._settings = settings
        self._base = base
        if issued is not None:
            token = issued.session_token
            base.set_credentials(
                str(issued.access_key_id),
                issued.secret_access_key.reveal(),
                None if token is None else token.reveal(),
            )

    def look_at_identity(self) -> Iterable[str]:
        """Ask who we are, and say it."""
        found = self.ask_identity()
        return (found.note or found.arn or "not told",)

    def ask_identity(self) -> CallerIdentity:
        """Ask STS who we are."""
        endpoint = self._settings.client.find_endpoint("sts")
        try:
            answer = self._call("sts", PROBES["sts"])
        except ClientError as error:
            code = _read_code(error)
            if endpoint is None or code in ABOUT_US:
                raise self._explain(error) from None
            return CallerIdentity(note=_tell_no_sts(endpoint, code))
        except (ResponseParserError, KeyError, TypeError, ValueError) as error:
            if endpoint is None:
                raise self._explain_nonsense(error) from None
            return CallerIdentity(note=_tell_no_sts(endpoint, type(error).__name__))
        return CallerIdentity(answer.get("Account"), answer.get("Arn"))

    def probe(self, service: str) -> Iterator[str]:
        """Call something harmless of `service`."""
        operation = PROBES.get(service)
        if operation is None:
            known = ", ".join(sorted(PROBES))
            problem = Problem("--probe", "does not support it", f"It supports {known}.")
            raise InvalidConnectionError(
                conn_id=self._settings.conn_id, problems=[problem]
            )
        try:
            self._call(service, operation)
        except ClientError as error:
            raise self._explain(error) from None
        yield f"{operation} works"

    def _call(self, service: str, operation: str) -> dict[str, Any]:
        client = self._settings.client
        made: Any = self._base.create_client(
            service,
            config=build_config(client.config),
            endpoint_url=client.find_endpoint(service),
            verify=client.verify,
        )
        try:
            answer: dict[str, Any] = getattr(made, operation)()
        except BotoCoreError as error:
            if not is_on_the_way(error):
                raise
            raise self._explain_fault(error, str(made.meta.endpoint_url)) from None
        return answer

    def _explain_fault(
        self, error: BotoCoreError, endpoint_url: str
    ) -> CredentialFetchError:
        fault = explain_fault(error, show_origin(endpoint_url), FIELDS)
        return CredentialFetchError(
            conn_id=self._settings.conn_id, cause=fault.cause, hint=fault.hint
        )

    def _explain_nonsense(self, error: Exception) -> CredentialFetchError:
        return CredentialFetchError(
            conn_id=self._settings.conn_id,
            cause=f"what answers for STS is not STS ({type(error).__name__}).",
            hint="Check the proxy, and AWS_ENDPOINT_URL.",
        )

    def _explain(self, error: ClientError) -> CredentialFetchError:
        code = _read_code(error)
        said = str(error.response.get("Error", {}).get("Message", ""))
        return CredentialFetchError(
            conn_id=self._settings.conn_id,
            cause=f"{error.operation_name} was refused: {code}: {show_message(said, {})}",
            hint=FIXES.get(code) or HINTS.get(code, ""),
        )


FIXES = {
    "AccessDenied": "The identity is known and may not do this: see its policies.",
    "InvalidAccessKeyId": "Check the access key id and that it is for this endpoint.",
}


def _read_code(error: ClientError) -> str:
    return show_words(str(error.response.get("Error", {}).get("Code", "Unknown")), 60)


def _tell_no_sts(endpoint: str, seen: str) -> str:
    return f"{show_origin(endpoint)} has no STS ({seen}): who we are is not told"
