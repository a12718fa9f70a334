"""Issue credentials to another program: from the store, else by the whole exchange.

The warm way reads the environment and one file. All that makes a client, botocore's
session included, is loaded by the cold way only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from botocore_conn_provider.connection.environment import (
    Snapshot,
    name_connection,
)
from botocore_conn_provider.connection.record import Connection
from botocore_conn_provider.errors import ConnProviderError, CredentialFetchError
from botocore_conn_provider.exchange.asking import refuse_recursion
from botocore_conn_provider.exchange.session_view import SessionView
from botocore_conn_provider.renewal.light_source import (
    create_light_source,
    switch_store_on,
)
from botocore_conn_provider.renewal.runtime import Runtime
from botocore_conn_provider.renewal.schedule import RenewalPolicy, plan_windows
from botocore_conn_provider.renewal.source import Source
from botocore_conn_provider.tracebacks import scrubbed
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    import datetime

    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.exchange.flow import TemporaryCredentials
    from botocore_conn_provider.renewal.schedule import Issued
    from botocore_conn_provider.renewal.source import Store
    from botocore_conn_provider.secret import KeyId, Secret


class IssuedKeys(NamedTuple):
    """What another program is given. Without expiry they last until changed."""

    access_key_id: KeyId
    secret_access_key: Secret
    session_token: Secret | None = None
    expires_at: datetime.datetime | None = None
    account_id: str | None = None


class ReadConnection(Value):
    """A connection as it was read, with the store on, and the environment it is of."""

    settings: AwsSettings
    view: SessionView
    variable: str


@scrubbed
def read_connection(conn_id: str | None) -> ReadConnection:
    """Read the connection whose keys another program is to have.

    Raises:
        ConnectionNotFoundError: There is no such connection, the default included.
        InvalidConnectionError: It is wrong.
        ConnProviderError: It asks for itself.
    """
    snapshot = Snapshot.take()
    environ = snapshot.environ
    name = name_connection(environ, conn_id)
    refuse_recursion(environ, name.conn_id)
    settings = switch_store_on(Connection.from_env(conn_id, environ=environ).settings)
    return ReadConnection(settings, SessionView(snapshot), name.variable)


def issue(conn_id: str | None, *, deadline_seconds: float) -> IssuedKeys:
    """Return credentials of the connection; see `issue_for` and `read_connection`."""
    return issue_for(read_connection(conn_id), deadline_seconds=deadline_seconds)


@scrubbed
def issue_for(connection: ReadConnection, *, deadline_seconds: float) -> IssuedKeys:
    """Return credentials of the connection that are good for a while.

    Blocks for the exchange, with retries of transient faults within the deadline.

    Raises:
        ConnProviderError: This machine makes it impossible, or the exchange failed.
    """
    settings, view, variable = connection
    if settings.role is None:
        return _read_identity(settings, view, variable=variable)
    return _issue_role(settings, view, variable, deadline_seconds=deadline_seconds)


def _issue_role(
    settings: AwsSettings, view: SessionView, variable: str, *, deadline_seconds: float
) -> IssuedKeys:
    light = create_light_source(settings, view, variable)
    policy = RenewalPolicy.from_settings(settings.own)
    runtime = Runtime()
    source = Source(
        light.fetch,
        conn_id=settings.conn_id,
        policy=policy,
        store=light.store,
        runtime=runtime,
    )
    shelf = Shelf(light.store, policy, runtime)
    deadline = runtime.elapsed() + min(policy.deadline_seconds, deadline_seconds)
    try:
        issued = source.obtain_patiently(deadline, accept=shelf.is_fresh).issued
    except CredentialFetchError as error:
        issued = shelf.serve_old(error)
    return _from_temporary(issued.credentials)


class Shelf:
    """Which stored sets another program may be given, and when.

    Not one that is due for renewal, because that program would come back at once;
    but if the renewal fails, whatever is valid for longer than callers wait.
    """

    def __init__(self, store: Store, policy: RenewalPolicy, runtime: Runtime) -> None:
        self._store = store
        self._policy = policy
        self._runtime = runtime

    def is_fresh(self, issued: Issued) -> bool:
        """Return whether the renewal of these credentials is not yet due."""
        windows = plan_windows(issued.lifetime_seconds, self._policy)
        return self._left(issued) > windows.advisory_seconds

    def is_valid(self, issued: Issued) -> bool:
        """Return whether they are good for longer than the mandatory window."""
        windows = plan_windows(issued.lifetime_seconds, self._policy)
        return self._left(issued) > windows.mandatory_seconds

    def serve_old(self, error: CredentialFetchError) -> Issued:
        """Return the stored set if it is valid; else raise `error`."""

        def fail() -> Issued:
            raise error

        try:
            return self._store.obtain(fail, accept=self.is_valid).issued
        except ConnProviderError:  # who asks could not be found out again
            raise error from None

    def _left(self, issued: Issued) -> float:
        return issued.ends_at - self._runtime.elapsed()


def _from_temporary(credentials: TemporaryCredentials) -> IssuedKeys:
    return IssuedKeys(
        credentials.access_key_id,
        credentials.secret_access_key,
        credentials.session_token,
        credentials.expires_at,
        credentials.account_id,
    )


def _read_identity(
    settings: AwsSettings, view: SessionView, *, variable: str
) -> IssuedKeys:
    """Return the keys of a connection without a role."""
    keys = settings.keys
    if keys is not None:
        return IssuedKeys(
            keys.access_key_id,
            keys.secret_access_key,
            keys.session_token,
            account_id=keys.account_id,
        )
    from botocore_conn_provider.exchange.base_identity import load_base_identity
    from botocore_conn_provider.exchange.checks import prepare_base

    found = load_base_identity(
        prepare_base(settings, view, variable=variable), settings
    )
    return IssuedKeys(
        found.access_key_id,
        found.secret_access_key,
        found.session_token,
        found.expires_at,
        found.account_id,
    )
