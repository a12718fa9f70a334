"""Reach the other engines of this process, and the programs that it starts.

One endpoint for the process, and the environment that leads engines there: pyarrow,
obstore, polars, a Node child, whatever reads AWS's variables when it first looks for
credentials. The exchange is made when the first engine asks.

A forked child is served by its parent, as a program of another language is. Where the
parent is gone, an engine gets an error, because its environment has nothing else.

Thread safety: one lock while switching. Engines read the environment, which is changed
when the program says so, or before the first engine is imported.
"""

from __future__ import annotations

import atexit
import logging
from typing import TYPE_CHECKING

from botocore_conn_provider.connection.environment import (
    Snapshot,
    is_disabled,
    name_connection,
)
from botocore_conn_provider.connection.process_changes import (
    change_process,
    undo_in_process,
)
from botocore_conn_provider.connection.record import Connection
from botocore_conn_provider.endpoint.connection_supply import find_supply
from botocore_conn_provider.endpoint.endpoint import Endpoint
from botocore_conn_provider.endpoint.profile_region import find_profile_region
from botocore_conn_provider.endpoint.supply import DeniedSupply
from botocore_conn_provider.endpoint.variables import (
    HandedOn,
    change_environment,
    give_endpoint,
    give_keys,
    give_nothing,
)
from botocore_conn_provider.errors import ConnProviderError
from botocore_conn_provider.fork import ProcessLock, current_process
from botocore_conn_provider.redaction import show_error
from botocore_conn_provider.tracebacks import scrubbed
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from botocore_conn_provider.connection.environment import Changes, Environ
    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.endpoint.endpoint import Answered
    from botocore_conn_provider.endpoint.supply import Keys, Supply
    from botocore_conn_provider.secret import Options

logger = logging.getLogger(__name__)
_lock = ProcessLock()
_told: set[str] = set()


class Reached(Value):
    """How this process reaches engines now."""

    conn_id: str | None
    endpoint: Endpoint | None
    changes: Changes

    def __repr__(self) -> str:  # the changes hold secrets
        return "Reached(…)"


_reached: Reached | None = None
_switching: object = None  # the process in which a thread is at it


@scrubbed
def reach_engines(
    conn_id: str | None, *, may_load_hosts: bool = True, waits: bool = True
) -> bool:
    """Have engines use the connection from now on.

    Raises nothing for a connection that is wrong: engines are refused, with its error.

    Args:
        conn_id: The connection the program named; None for the environment's.
        may_load_hosts: Whether more of botocore may be imported than its errors. Not
            while awscrt is being imported, which botocore imports itself.
        waits: Whether to wait for another thread that is at it. Not in the middle of an
            import, for which that thread may wait.

    Returns:
        Whether it is done; not if somebody is still at it.
    """
    if is_disabled(Snapshot.take().environ):
        return True
    lock = _lock.own
    if not lock.acquire(blocking=waits):
        return False
    try:
        if _switching == current_process():  # what is imported for it is an engine
            return False
        notice = _switch(conn_id, may_load_hosts=may_load_hosts)
    finally:
        lock.release()
    # After the lock: a log handler may use AWS.
    if notice is not None:
        logger.info("%s", notice)
    return True


def follow(conn_id: str | None) -> None:
    """Have engines use another connection, if they are reached at all."""
    if _reached is not None:
        reach_engines(conn_id)


def leave_engines() -> None:
    """Undo what was done to the environment, and close the endpoint.

    What the program has changed since is left as it is. Engines that were made before
    are refused from now on.
    """
    global _reached
    with _lock.own:
        reached, _reached = _reached, None
        if reached is not None:
            undo_in_process(reached.changes)
            _close(reached)


def _close(reached: Reached) -> None:
    if reached.endpoint is not None:
        atexit.unregister(reached.endpoint.close)
        reached.endpoint.close()


def _switch(conn_id: str | None, *, may_load_hosts: bool) -> str | None:
    """Reach engines unless they are already; return what is to be told.

    The former endpoint is closed last, so that no engine is the machine meanwhile.
    """
    global _switching  # noqa: PLW0603 - of the thread that holds the lock
    reached = _reached
    if reached is not None and reached.conn_id == conn_id:
        return None
    _switching = current_process()
    try:
        notice = _reach(conn_id, Snapshot.take(), may_load_hosts=may_load_hosts)
    finally:
        _switching = None
    if reached is not None:
        _close(reached)
    return notice


def _reach(conn_id: str | None, snapshot: Snapshot, *, may_load_hosts: bool) -> str:
    """Change the environment; return what is to be told."""
    global _reached  # noqa: PLW0603 - one for each process
    name = name_connection(snapshot.environ, conn_id)
    regions: tuple[str | None, str | None] = (None, None)
    found: Supply | Keys | None
    try:
        settings = _read(snapshot, conn_id)
        if settings is None:
            found = None
        else:
            regions = (
                settings.client.region_name,
                find_profile_region(settings, snapshot) if may_load_hosts else None,
            )
            found = find_supply(
                settings, snapshot, name.variable, may_load_hosts=may_load_hosts
            )
    except ConnProviderError as error:
        found = DeniedSupply(error)
    if found is None:
        _reached = Reached(conn_id, None, _change(snapshot.environ))
        return (
            "Engines beside botocore find the machine's AWS identity by themselves: the"
            f" connection '{name.conn_id}' names no other."
        )
    handed, endpoint = _hand_on(found)
    after = change_environment(snapshot.environ, HandedOn(handed, *regions))
    _reached = Reached(conn_id, endpoint, _change(after))
    where = "in variables" if endpoint is None else f"at 127.0.0.1:{endpoint.port}"
    return (
        "Engines of this process and programs that it starts (pyarrow, polars, obstore,"
        " deltalake, lance, daft, awscrt, Node, Java) are given the connection"
        f" '{name.conn_id}' {where}."
    )


def _change(wanted: Environ) -> Changes:
    return change_process(
        wanted, instead_of=None if _reached is None else _reached.changes
    )


def _read(snapshot: Snapshot, conn_id: str | None) -> AwsSettings | None:
    """Return what the connection means; None if the default one is absent.

    Raises:
        ConnectionNotFoundError: It was named and is absent.
        InvalidConnectionError: It is wrong.
    """
    name = name_connection(snapshot.environ, conn_id)
    if name.named_by is None and not snapshot.environ.get(name.variable, "").strip():
        return None
    return Connection.from_env(conn_id, environ=snapshot.environ).settings


def _hand_on(found: Supply | Keys) -> tuple[Options, Endpoint | None]:
    """Return the variables for an engine, and the endpoint that they lead to."""
    if isinstance(found, tuple):  # keys, which no endpoint can hand out
        return give_keys(found), None
    try:
        endpoint = Endpoint(found, on_answer=_tell_denied)
    except (OSError, RuntimeError) as error:
        # No engine goes on as the machine because of that.
        logger.warning(
            "No endpoint could be opened for engines beside botocore, so they get no"
            " AWS credentials: %s",
            show_error(error),
        )
        return give_nothing(), None
    atexit.register(endpoint.close)
    return give_endpoint(endpoint), endpoint


def _tell_denied(answered: Answered) -> None:
    """Log why an engine got nothing, once: few engines show it to their users.

    pyarrow shows nothing at all, and goes on without signing its requests.
    """
    if answered.message and answered.message not in _told:
        _told.add(answered.message)
        logger.warning(
            "An engine asked for AWS credentials and got none: %s", answered.message
        )
