"""What `exec` and `serve` share: the first exchange, then what is handed on.

The exchange comes first, so that nothing is started that would be refused. The store is
on by default, as for `credential-process`: a start is then one file that is read.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.connection.environment import Snapshot, name_connection
from botocore_conn_provider.connection.record import Connection
from botocore_conn_provider.endpoint.narrowing import Narrowing, narrow
from botocore_conn_provider.endpoint.supply import (
    EndingSupply,
    FixedSupply,
    KeptSupply,
)
from botocore_conn_provider.exchange.asking import refuse_recursion
from botocore_conn_provider.exchange.session_view import (
    CONFIG_FILE,
    CONFIG_VARIABLE,
    REGION_VARIABLE,
    SessionView,
)
from botocore_conn_provider.tracebacks import scrubbed
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.endpoint.supply import Keys, Supply

WHOLE = Narrowing()
AWS_FILES = (
    (CONFIG_VARIABLE, CONFIG_FILE),
    ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
)


class Prepared(Value):
    """A connection whose credentials are in memory.

    `supply` is for an endpoint; None for `keys` that have no session token, which no
    endpoint can hand out.
    """

    settings: AwsSettings
    snapshot: Snapshot
    supply: Supply | None
    keys: Keys | None = None

    def find_profile_region(self) -> str | None:
        """Return the region in AWS's files, which decides where nothing else names one.

        It is read by botocore, so only where there is a file that may have it.
        """
        environ = self.snapshot.environ
        if self.settings.client.region_name or environ.get(REGION_VARIABLE):
            return None
        paths = (environ.get(variable) or file for variable, file in AWS_FILES)
        if not any(os.path.isfile(self.snapshot.locate(path)) for path in paths):  # noqa: PTH113 - pathlib is slow to load
            return None
        # Imported here: it takes longer than all the rest of a start from the store.
        from botocore.exceptions import BotoCoreError

        from botocore_conn_provider.exchange.base_session import create_base_session

        session = create_base_session(self.settings, SessionView(self.snapshot))
        try:
            region: str | None = session.get_config_variable("region")
        except BotoCoreError:  # a broken file, which the identity does not need
            return None
        return region


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
