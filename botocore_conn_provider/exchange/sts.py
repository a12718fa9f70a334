"""Exchange keys, an assertion or a token for temporary credentials at STS.

The one place that makes STS clients and calls them. The three calls differ in
their proof only. Base credentials sign AssumeRole; the other two are unsigned,
so they load no chain and cannot take another identity by accident.

Source: AWS STS API reference, AssumeRole, AssumeRoleWithSAML,
AssumeRoleWithWebIdentity.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore import UNSIGNED
from botocore.exceptions import BotoCoreError, ClientError

from botocore_conn_provider.errors import ConnProviderError, StsExchangeError
from botocore_conn_provider.exchange.flow import (
    TemporaryCredentials,
    create_session,
    files_explained,
)
from botocore_conn_provider.exchange.sts_config import bound_sts
from botocore_conn_provider.quiet import quiet_exchange
from botocore_conn_provider.secret import KeyId, Secret
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol

    import botocore.session

    from botocore_conn_provider.connection.settings import (
        AssumeRole,
        AssumeRoleWithSaml,
        AssumeRoleWithWebIdentity,
        AwsSettings,
        ClientSettings,
    )
    from botocore_conn_provider.exchange.base_identity import BaseIdentity
    from botocore_conn_provider.exchange.session_view import SessionView
    from botocore_conn_provider.exchange.unfitted_session import UnfittedSession

    # For the type checker alone: defining a protocol delays each start.
    class StsClient(Protocol):
        """What we use of botocore's STS client."""

        meta: Any

        def assume_role(self, **parameters: Any) -> dict[str, Any]: ...
        def assume_role_with_saml(self, **parameters: Any) -> dict[str, Any]: ...
        def assume_role_with_web_identity(
            self, **parameters: Any
        ) -> dict[str, Any]: ...


def load_model(view: SessionView) -> None:
    """Have the session's loader read STS's model, where an exchange will find it.

    Without the loader, which is gone with its session, the exchange reads it itself.
    """
    loader = view.data_loader()
    if loader is not None:
        # As botocore's client asks for it, because the loader goes by the arguments.
        # The exchange tells what is wrong with the data.
        with contextlib.suppress(Exception):
            loader.load_service_model("sts", "service-2", api_version=None)


def create_sts_client(
    session: botocore.session.Session,
    settings: ClientSettings,
    *,
    signed_with: BaseIdentity | None = None,
) -> StsClient:
    """Make the STS client of an exchange.

    It has the connection's Config, proxies, `verify` and STS endpoint. The
    endpoint for all services is not for it. Timeouts are short unless the
    connection sets its own.

    Args:
        session: A session that no connection is fitted to, with the region.
        settings: The connection's.
        signed_with: The identity that signs the call, whatever the session has;
            None for a call that is not signed.
    """
    # Imported here because it takes 65 ms, and a start from the store makes no client.
    from botocore.config import Config

    own = bound_sts({**settings.config})
    # None and not left out, so that the session's default Config does not decide it:
    # it is meant for the services.
    own["signature_version"] = None
    endpoint_url = settings.service_endpoints.get("sts")
    keys: dict[str, Any] = {} if signed_with is None else _list_keys(signed_with)
    if not keys:
        own["signature_version"] = UNSIGNED
    client: StsClient = session.create_client(  # type: ignore[assignment]
        "sts",
        config=Config(**own),
        endpoint_url=None if endpoint_url is None else str(endpoint_url),
        verify=settings.verify,
        **keys,
    )
    return client


def _list_keys(identity: BaseIdentity) -> dict[str, Any]:
    """Return the identity as arguments of `create_client`."""
    token = identity.session_token
    return {
        "aws_access_key_id": str(identity.access_key_id),
        "aws_secret_access_key": identity.secret_access_key.reveal(),
        "aws_session_token": None if token is None else token.reveal(),
    }


def create_exchange(
    settings: AwsSettings,
    view: SessionView,
    *,
    session: UnfittedSession | None = None,
    signed_with: BaseIdentity | None = None,
) -> StsExchange:
    """Make the exchange of a connection, from the files as they are now.

    Args:
        settings: The connection.
        view: What the session said.
        session: The base session, if there is one already.
        signed_with: Who signs the call; None for one that is not signed.

    Raises:
        CredentialFetchError: The files cannot be read, or the profile is gone.
    """
    with files_explained(settings):
        client = create_sts_client(
            session or create_session(settings, view),
            settings.client,
            signed_with=signed_with,
        )
    return StsExchange(client, conn_id=settings.conn_id)


class StsExchange:
    """The three calls, with errors that name the connection and hide the keys.

    Blocks for as long as the client's timeouts allow. Threads may
    share one: botocore's clients are safe to call from many threads. A forked
    child must make its own, because an open connection would be shared.

    Raises (each call):
        StsExchangeError: STS refused, could not be reached, or answered nonsense.
        ConnProviderError: The base credentials could not be had.
    """

    def __init__(self, client: StsClient, *, conn_id: str) -> None:
        self._client = client
        self._conn_id = conn_id

    @scrubbed
    def assume_role(self, role: AssumeRole) -> TemporaryCredentials:
        """Exchange the base credentials that the client was made with."""
        return self._call(
            self._client.assume_role, {**role.parameters, "RoleArn": role.role_arn}
        )

    @scrubbed
    def assume_role_with_saml(
        self, role: AssumeRoleWithSaml, *, principal_arn: str, assertion: Secret
    ) -> TemporaryCredentials:
        """Exchange `assertion`, the base64 text of the IdP's SAML response."""
        parameters = {
            **role.parameters,
            "RoleArn": role.role_arn,
            "PrincipalArn": principal_arn,
            "SAMLAssertion": assertion.reveal(),
        }
        return self._call(self._client.assume_role_with_saml, parameters)

    @scrubbed
    def assume_role_with_web_identity(
        self, role: AssumeRoleWithWebIdentity, *, token: Secret
    ) -> TemporaryCredentials:
        """Exchange `token`, an OIDC ID token or an opaque access token."""
        parameters = {
            "RoleSessionName": f"botocore-session-{int(time.time())}",
            **role.parameters,
            "RoleArn": role.role_arn,
            "WebIdentityToken": token.reveal(),
        }
        return self._call(self._client.assume_role_with_web_identity, parameters)

    def _call(
        self, operation: Callable[..., dict[str, Any]], parameters: dict[str, Any]
    ) -> TemporaryCredentials:
        # Imported here for the same reason: a caller has made a client.
        from botocore.parsers import ResponseParserError

        role_arn = parameters["RoleArn"]
        try:
            with quiet_exchange():
                answer = operation(**parameters)
        except ConnProviderError:
            raise
        # An answer that is no STS answer (a proxy's HTML page, say) ends in botocore's
        # parser as one of the last four, the first with the whole body.
        except (
            ClientError,
            BotoCoreError,
            ResponseParserError,
            KeyError,
            ValueError,
            TypeError,
        ) as error:
            raise self._explain(error, parameters) from None
        return self._read(answer, role_arn)

    def _read(self, answer: dict[str, Any], role_arn: str) -> TemporaryCredentials:
        try:
            keys = answer["Credentials"]
            return TemporaryCredentials(
                access_key_id=KeyId(keys["AccessKeyId"]),
                secret_access_key=Secret(keys["SecretAccessKey"]),
                session_token=Secret(keys["SessionToken"]),
                expires_at=keys["Expiration"].astimezone(dt.timezone.utc),
                account_id=role_arn.split(":")[4] or None,
                server_time=_find_server_time(answer),
            )
        except (KeyError, AttributeError, TypeError) as error:
            raise self._explain(error, {"RoleArn": role_arn}) from None

    def _explain(
        self, error: Exception, parameters: Mapping[str, Any]
    ) -> StsExchangeError:
        from botocore_conn_provider.exchange.refusal import (
            explain,  # only a failure pays
        )

        failure = explain(error, parameters, self._client.meta.endpoint_url)
        return StsExchangeError(conn_id=self._conn_id, **failure._asdict())


def _find_server_time(answer: dict[str, Any]) -> dt.datetime | None:
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        date = parsedate_to_datetime(headers.get("date"))
    except (ValueError, TypeError, AttributeError, OverflowError):  # none, or no date
        return None
    # Without a zone it is meant in UTC, as all of HTTP is.
    return date if date.tzinfo is not None else date.replace(tzinfo=dt.timezone.utc)
