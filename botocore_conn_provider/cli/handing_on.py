"""What `exec` and `serve` share: the first exchange, then what is handed on.

The exchange comes first, so that nothing is started that would be refused. The store is
on by default, as for `credential-process`: a start is then one file that is read.
"""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.cli.main import PROGRAM
from botocore_conn_provider.connection.environment import Snapshot, name_connection
from botocore_conn_provider.connection.record import Connection
from botocore_conn_provider.endpoint.narrowing import Narrowing, narrow
from botocore_conn_provider.endpoint.supply import (
    EndingSupply,
    FixedSupply,
    KeptSupply,
)
from botocore_conn_provider.exchange.asking import refuse_recursion
from botocore_conn_provider.tracebacks import scrubbed
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.endpoint.endpoint import Answered
    from botocore_conn_provider.endpoint.supply import Keys, Supply

WHOLE = Narrowing()


class Prepared(Value):
    """A connection whose credentials are in memory.

    `supply` is for an endpoint; None for `keys` that have no session token, which no
    endpoint can hand out.
    """

    settings: AwsSettings
    snapshot: Snapshot
    supply: Supply | None
    keys: Keys | None = None


@scrubbed
def prepare(conn_id: str | None, narrowing: Narrowing = WHOLE) -> Prepared:
    """Get the first credentials of a connection; blocks for the exchange.

    Raises:
        ConnectionNotFoundError: There is no such connection, the default included.
        InvalidConnectionError: It is wrong, or cannot be narrowed so.
        ConnProviderError: The exchange failed, or asks for itself.
    """
    # Imported here: keys of the connection need no store.
    from botocore_conn_provider.renewal.light_source import switch_store_on

    snapshot = Snapshot.take()
    environ = snapshot.environ
    name = name_connection(environ, conn_id)
    refuse_recursion(environ, name.conn_id)
    read = Connection.from_env(conn_id, environ=environ).settings
    settings = switch_store_on(narrow(read, narrowing))
    if settings.role is None and settings.keys is not None:
        return _prepare_keys(settings, snapshot, settings.keys)
    from botocore_conn_provider.endpoint.connection_supply import create_own_keeper

    keeper = create_own_keeper(settings, snapshot, name.variable)
    first = keeper.current()
    if not first.session_token:
        return _prepare_keys(settings, snapshot, first)
    if narrowing.seconds is not None:
        supply: Any = EndingSupply(keeper, settings.conn_id)
    else:
        supply = KeptSupply(lambda: keeper)
    return Prepared(settings, snapshot, supply)


def _prepare_keys(settings: AwsSettings, snapshot: Snapshot, keys: Keys) -> Prepared:
    if keys.session_token:
        return Prepared(settings, snapshot, FixedSupply(keys))
    return Prepared(settings, snapshot, None, keys)


def hear_asks(command: str, *, logs: bool) -> Callable[[Answered], None]:
    """Return what an endpoint tells of each ask: it is logged, or nothing is done."""

    def log(answered: Answered) -> None:
        """Write a line about one ask, without anything of it.

        A reader of the log that has gone must not end the endpoint.
        """
        now = time.strftime("%H:%M:%S")
        line = f"{now} asked for credentials: {answered.status} {answered.code}"
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(f"{PROGRAM} {command}: {line}\n")

    return log if logs else lambda _: None
