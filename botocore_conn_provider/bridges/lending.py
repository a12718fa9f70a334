"""What every bridge gives its library: a connection's credentials, for a while.

Libraries keep what they are given until it is about to end, and then ask again. They are
told an end that is never later than the true one: the moment at which the keeper wants
to renew. So the renewal begins when the library asks, in the background, and its
credentials are good for minutes more. While it runs, or after it has failed, a library
is given the old ones for a short while, and asks again.

Thread safety: everything is the session's and the keeper's.
"""

from __future__ import annotations

import asyncio
import datetime
from typing import TYPE_CHECKING, Any

from botocore.credentials import RefreshableCredentials
from botocore.exceptions import NoCredentialsError

from botocore_conn_provider.connection.client_settings import is_unsigned
from botocore_conn_provider.connection.environment import (
    current_environment,
    is_disabled,
    name_connection,
)
from botocore_conn_provider.connection.record import not_found
from botocore_conn_provider.connection.settings import AwsSettings
from botocore_conn_provider.errors import CredentialFetchError
from botocore_conn_provider.renewal.loop_wait import wait_for_renewal
from botocore_conn_provider.secret import KeyId, Secret
from botocore_conn_provider.sessions.credentials import KeptCredentials
from botocore_conn_provider.sessions.fitting import create_bound_session, find_fitted
from botocore_conn_provider.sessions.installation import find_installed
from botocore_conn_provider.tracebacks import scrubbed
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from typing import TypeAlias

    import botocore.session

    from botocore_conn_provider.renewal.deferred_keeper import DeferredKeeper
    from botocore_conn_provider.renewal.keeper import Keeper
    from botocore_conn_provider.renewal.schedule import Held, Patience

    AnyKeeper: TypeAlias = Keeper | DeferredKeeper

# While a renewal is due, credentials are given for so long, or half of what they have
# left. Asking again costs a library nothing: it is answered from memory.
RECHECK_SECONDS, RECHECK_PART = 30.0, 1 / 2
# Credentials that botocore itself renews usually have ten minutes left, and are given for
# half of that, or of what they have left.
BOTOCORES_SECONDS = 300.0


class Lent(Value):
    """Credentials as they are given to a library.

    `ends_at` is when it should ask again, aware; None for keys that do not end.
    """

    access_key_id: KeyId
    secret_access_key: Secret
    session_token: Secret | None
    ends_at: datetime.datetime | None

    def name(self, key_id: str, key: str, token: str) -> dict[str, str | None]:
        """Return the bare texts under a library's names. Never show them."""
        return {
            key_id: str(self.access_key_id),
            key: self.secret_access_key.reveal(),
            token: None if self.session_token is None else self.session_token.reveal(),
        }

    def name_for_object_store(self) -> dict[str, str]:
        """Return them under the names of Rust's object_store, without an absent token."""
        named = self.name(
            "aws_access_key_id", "aws_secret_access_key", "aws_session_token"
        )
        return {name: text for name, text in named.items() if text is not None}


class Lender:
    """Lends the credentials of one connection, again and again.

    Args:
        conn_id: The connection; None for the one of `install()`, else the one that
            `BOTOCORE_CONN_ID` names, else `aws_default`. It must exist.

    Raises:
        ConnectionNotFoundError: The connection is not in the environment.
        InvalidConnectionError: It is wrong.
        CredentialFetchError: It asks for requests without a signature.

    Attributes:
        conn_id: The connection's name, which is what a pickle holds.
        region_name: What a boto3 client would have; None if it would have none.
        endpoint_url: The connection's for S3; None for AWS's own.
    """

    @scrubbed
    def __init__(self, conn_id: str | None) -> None:
        conn_id = conn_id or find_installed()
        session = create_bound_session(conn_id)
        settings = _read_signed(session, conn_id)
        self.conn_id: str = settings.conn_id
        self.region_name: str | None = session.get_config_variable("region")
        self.endpoint_url = settings.client.find_endpoint("s3")
        self._session = session

    @scrubbed
    def lend(self) -> Lent:
        """Return credentials; waits as a boto3 client does.

        Raises:
            ConnProviderError: There are none to be had.
        """
        credentials = self._find_credentials()
        if not isinstance(credentials, KeptCredentials):
            return _lend_botocores(credentials)
        while True:
            credentials.keeper.current()
            lent = lend_held(credentials.keeper)
            if lent is not None:
                return lent

    async def lend_async(self) -> Lent:
        """Return credentials; waits without holding up the event loop.

        Raises:
            ConnProviderError: There are none to be had.
        """
        credentials = await asyncio.to_thread(self._find_credentials)
        if not isinstance(credentials, KeptCredentials):
            return await asyncio.to_thread(_lend_botocores, credentials)
        keeper = credentials.keeper
        patience: Patience | None = None
        while True:
            current = keeper.current_nowait(patience)
            lent = None if current is None else lend_held(keeper)
            if lent is not None:
                return lent
            patience = keeper.plan_wait(patience)
            await wait_for_renewal(keeper, keeper.limit_wait(patience))

    def _find_credentials(self) -> Any:
        found = self._session.get_credentials()
        if found is None:
            raise NoCredentialsError
        return found


def _read_signed(session: botocore.session.Session, conn_id: str | None) -> AwsSettings:
    """Return what the session's connection means.

    Raises:
        ConnectionNotFoundError: The default connection was meant, and is not there.
        CredentialFetchError: Its requests are to have no signature.
    """
    fitted = find_fitted(session)
    settings = None if fitted is None else fitted.read()
    if settings is None:
        environ = current_environment()
        name = name_connection(environ, conn_id)
        if not is_disabled(environ):
            raise not_found(name)
        return AwsSettings(name.conn_id)  # botocore's own chain, which was said
    if is_unsigned(settings.client.config):
        raise CredentialFetchError(
            conn_id=settings.conn_id,
            cause="'config_kwargs.signature_version' asks for requests without a"
            " signature, so there are no credentials to give to a library.",
            hint="Use the library's own option for such requests, without a bridge.",
        )
    return settings


def _lend_botocores(credentials: Any) -> Lent:
    """Return credentials that botocore keeps: lasting keys, or its chain's."""
    frozen = credentials.get_frozen_credentials()
    token = None if frozen.token is None else Secret(frozen.token)
    ends = isinstance(credentials, RefreshableCredentials)
    return Lent(
        KeyId(frozen.access_key),
        Secret(frozen.secret_key),
        token,
        _plan_botocores(credentials) if ends else None,
    )


def _plan_botocores(credentials: RefreshableCredentials) -> datetime.datetime:
    # Private: no public way to their end exists. Some sources give them no ten minutes.
    ends_at: datetime.datetime | None = getattr(credentials, "_expiry_time", None)
    if ends_at is None:
        return _find_moment(BOTOCORES_SECONDS)
    left = (ends_at - datetime.datetime.now(datetime.timezone.utc)).total_seconds()
    return _find_moment(min(BOTOCORES_SECONDS, left * RECHECK_PART))


def lend_held(keeper: AnyKeeper) -> Lent | None:
    """Return what the keeper has in memory; None if that has ended this moment."""
    held = keeper.find_held()
    if held is None:
        return None
    return Lent(
        held.credentials.access_key_id,
        held.credentials.secret_access_key,
        held.credentials.session_token or None,
        _find_moment(_choose_seconds(held, keeper.count_left(held))),
    )


def _choose_seconds(held: Held, left: float) -> float:
    """Return for how long to lend: to the next renewal, for a while if that is due.

    Args:
        held: The current credentials.
        left: The seconds for which they can be served.
    """
    ends_at = max(held.ends_at, held.serve_until)
    until_renewal = left - (ends_at - held.renew_at)
    return max(until_renewal, min(RECHECK_SECONDS, left * RECHECK_PART))


def _find_moment(seconds: float) -> datetime.datetime:
    now = datetime.datetime.now(datetime.timezone.utc)
    return now + datetime.timedelta(seconds=seconds)
