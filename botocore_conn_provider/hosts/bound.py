"""A botocore session bound to one connection, with nothing installed."""

from __future__ import annotations

import logging

import botocore.session

from botocore_conn_provider.connection.environment import (
    current_environment,
    is_disabled,
)
from botocore_conn_provider.hosts.binding import Binding, say_once
from botocore_conn_provider.hosts.fitting import fit


def create_bound_session(
    conn_id: str, kind: type[botocore.session.Session] = botocore.session.Session
) -> botocore.session.Session:
    """Return a new session of that class that uses the connection, read at once.

    Raises:
        ConnectionNotFoundError: The connection is not in the environment.
        InvalidConnectionError: It is wrong.
    """
    session = kind()
    environ = current_environment()
    if is_disabled(environ):
        say_once(
            logging.WARNING,
            "BOTOCORE_CONN_DISABLE is set: botocore's own chain is used.",
        )
        return session
    binding = Binding(environ, conn_id)
    fit(session, binding)
    binding.read(session)
    return session
