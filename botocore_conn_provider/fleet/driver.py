"""What a driver checks before it sends anything: so it is the driver that is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.connection.environment import (
    Snapshot,
    find_text,
    name_connection,
)
from botocore_conn_provider.connection.record import Connection, not_found
from botocore_conn_provider.errors import InvalidConnectionError, Problem
from botocore_conn_provider.fleet.recipe import Recipe
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    from botocore_conn_provider.secret import Secret

LONGEST_SPREAD_SECONDS = 3600.0


@scrubbed
def write_recipe(conn_id: str, *, engines: bool, start_spread_seconds: float) -> Recipe:
    """Return the recipe, once it is known to be one.

    Raises:
        InvalidConnectionError: `conn_id` is no id, or the other is no such time.
    """
    name = name_connection({}, conn_id)
    if name.is_wrong:
        raise not_found(name)
    if not 0 <= start_spread_seconds <= LONGEST_SPREAD_SECONDS:
        problem = Problem(
            "start_spread_seconds",
            "is no time of 0 to 3600 seconds",
            "Give the seconds over which the nodes' first exchanges are spread.",
        )
        raise InvalidConnectionError(conn_id=conn_id, problems=[problem])
    return Recipe(conn_id, engines, start_spread_seconds)


@scrubbed
def read_text_to_send(conn_id: str) -> Secret:
    """Return the connection's text, once it has been read and is right.

    Raises:
        ConnectionNotFoundError: It is not in this process's environment.
        InvalidConnectionError: It is wrong.
    """
    environ = Snapshot.take().environ
    name = name_connection({}, conn_id)
    text = find_text(environ, name)
    if text is None:
        raise not_found(name)
    Connection.from_env(conn_id, environ=environ)
    return text
