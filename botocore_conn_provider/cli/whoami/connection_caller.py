"""Find out as whom AWS knows a connection: credentials, and one question to STS."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.cli.doctor.caller import Caller
from botocore_conn_provider.cli.process_credentials import issue
from botocore_conn_provider.connection.client_settings import is_unsigned
from botocore_conn_provider.connection.environment import Snapshot, name_connection
from botocore_conn_provider.connection.record import Connection
from botocore_conn_provider.exchange.checks import operation_of, prepare_base
from botocore_conn_provider.exchange.session_view import SessionView
from botocore_conn_provider.redaction import show_key_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.connection.settings import AwsSettings


def identify(conn_id: str | None, *, deadline_seconds: float) -> dict[str, Any]:
    """Return who the connection is; its shape is in docs/command-line.md.

    Blocks for an exchange, if the store has no credentials, and for one call of STS.

    Raises:
        ConnectionNotFoundError: There is no such connection, the default included.
        InvalidConnectionError: It is wrong.
        ConnProviderError: The exchange failed, or STS refused to say.
    """
    snapshot = Snapshot.take()
    name = name_connection(snapshot.environ, conn_id)
    settings = Connection.from_env(conn_id, environ=snapshot.environ).settings
    told: dict[str, Any] = {
        "connection": name.conn_id,
        "kind": name_kind(settings),
        "account": None,
        "arn": None,
        "key": None,
        "seconds_left": None,
        "note": None,
    }
    if is_unsigned(settings.client.config):
        return told | {"note": "its requests are not signed"}
    issued = issue(conn_id, deadline_seconds=deadline_seconds)
    base = prepare_base(settings, SessionView(snapshot), variable=name.variable)
    found = Caller(settings, base, issued).ask_identity()
    left = issued.expires_at and issued.expires_at.timestamp() - time.time()
    return told | {
        "account": found.account,
        "arn": found.arn,
        "key": show_key_id(issued.access_key_id),
        "seconds_left": left and round(left),
        "note": found.note,
    }


def name_kind(settings: AwsSettings) -> str:
    """Return how the connection comes to its credentials."""
    if settings.role is not None:
        return operation_of(settings.role)
    if settings.keys is not None:
        return "keys"
    return "botocore's chain" if settings.profile_name is None else "profile"


def lay_out(caller: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each thing that is known."""
    yield f"Connection '{caller['connection']}' ({caller['kind']})"
    for name in ("account", "arn", "key"):
        if caller[name] is not None:
            yield f"  {name}: {caller[name]}"
    left = caller["seconds_left"]
    if left is not None:
        yield f"  expires in: {left} s ({left / 60:.0f} min)"
    elif caller["key"] is not None:
        yield "  expires in: not known; the keys do not say"
    if caller["note"] is not None:
        yield f"  note: {caller['note']}"
