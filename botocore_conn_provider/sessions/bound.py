"""Bind a session to one connection: the program's, or a new one, not installed.

Also where pickled credentials are made again: a pickle crosses to another process or
machine, where they come from the connection in the environment there.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import botocore.session

from botocore_conn_provider.connection.environment import Snapshot, is_disabled
from botocore_conn_provider.exchange.unfitted_session import UnfittedSession
from botocore_conn_provider.sessions.binding import Binding, Remake, say_once
from botocore_conn_provider.sessions.fitting import fit

if TYPE_CHECKING:
    from botocore.credentials import Credentials


def create_bound_session(
    conn_id: str, kind: type[botocore.session.Session] = botocore.session.Session
) -> botocore.session.Session:
    """Return a new session of that class that uses the connection, read at once.

    Raises:
        ConnectionNotFoundError: The connection is not in the environment.
        InvalidConnectionError: It is wrong.
    """
    session = kind()
    snapshot = Snapshot.take()
    if is_disabled(snapshot.environ):
        say_once(
            logging.WARNING,
            "BOTOCORE_CONN_DISABLE is set: botocore's own chain is used.",
        )
        return session
    binding = Binding(snapshot, conn_id, remake=REMAKE)
    fit(session, binding)
    binding.read(session)
    return session


def bind_session(
    session: botocore.session.Session,
    snapshot: Snapshot,
    conn_id: str | None,
    *,
    again: bool,
) -> None:
    """Fit the program's session to the connection; `again` replaces another one."""
    if not isinstance(session, UnfittedSession):
        fit(session, Binding(snapshot, conn_id, remake=REMAKE), again=again)


def remake_credentials(conn_id: str) -> Credentials | None:
    """Return the credentials of a connection, from this process's environment.

    Raises:
        InvalidConnectionError: The connection is wrong here.
        ConnectionNotFoundError: It is not here.
    """
    return create_bound_session(conn_id).get_credentials()


def remake_aio_credentials(conn_id: str) -> Any:
    """Do the same for aiobotocore's kind.

    Raises:
        InvalidConnectionError: The connection is wrong here.
        ConnectionNotFoundError: It is not here.
    """
    from aiobotocore.session import AioSession

    session = create_bound_session(conn_id, AioSession)
    return session.get_component("credential_provider").providers[0].load_now()


REMAKE = Remake(remake_credentials, remake_aio_credentials)
