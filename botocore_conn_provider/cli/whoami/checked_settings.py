"""Read a connection and check all that can be checked without asking anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore_conn_provider.connection.record import Connection
from botocore_conn_provider.exchange.checks import prepare_base
from botocore_conn_provider.exchange.flows import create_flow
from botocore_conn_provider.exchange.session_view import SessionView
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    from botocore_conn_provider.connection.environment import ConnectionName, Snapshot
    from botocore_conn_provider.connection.settings import AwsSettings


@scrubbed
def read_checked(snapshot: Snapshot, name: ConnectionName) -> AwsSettings:
    """Return what a connection means.

    Raises:
        ConnectionNotFoundError: It is absent.
        InvalidConnectionError: It is wrong.
        MissingDependencyError: Its exchange needs what is not installed.
    """
    connection = Connection.from_env(name.conn_id, environ=snapshot.environ)
    settings, view = connection.settings, SessionView(snapshot)
    prepare_base(settings, view, variable=name.variable)
    if settings.role is not None:
        flow: Any = create_flow(settings, view)
        flow.check()
    return settings
