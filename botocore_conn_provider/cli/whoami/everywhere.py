"""Judge what all engines showed: is one of them somebody else, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import BotoCoreError

from botocore_conn_provider.cli import exit_codes as exits
from botocore_conn_provider.cli.engine_table import ENGINES, Program
from botocore_conn_provider.cli.whoami.checked_settings import read_checked
from botocore_conn_provider.cli.whoami.connection_caller import name_kind
from botocore_conn_provider.cli.whoami.probing import Sighting, try_engines
from botocore_conn_provider.connection.environment import (
    Snapshot,
    current_environment,
    find_text,
    is_disabled,
    name_connection,
)
from botocore_conn_provider.endpoint.engines import leave_engines
from botocore_conn_provider.errors import describe_error
from botocore_conn_provider.secret import Options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.connection.environment import ConnectionName

# Those which `install()` and activation reach by themselves.
BOTOCORES = ("botocore", "boto3", "aiobotocore", "s3fs")
PROGRAMS = [each.name for each in ENGINES if isinstance(each, Program)]
FOREIGN = ("machine", "other", "unsigned")


class ConnectionState(NamedTuple):
    """The connection as it is before anybody is asked.

    `names_identity` is False for one whose identity is what botocore's chain finds.
    """

    conn_id: str
    is_present: bool
    is_switched_off: bool
    kind: str | None = None
    names_identity: bool = True
    error: BotoCoreError | None = None


class Everywhere(NamedTuple):
    """What came of it."""

    connection: ConnectionState
    sightings: list[Sighting]

    @property
    def strays(self) -> list[str]:
        """The engines that would be somebody else than the connection."""
        if not self.connection.names_identity:
            return []
        return [each.name for each in self.sightings if each.identity in FOREIGN]

    @property
    def exit_code(self) -> int:
        """What the command ends with."""
        if self.strays:
            return exits.FAILED
        error = self.connection.error
        return exits.OK if error is None else exits.code_of(error)

    def describe(self) -> dict[str, Any]:
        """Return the JSON; its shape is in docs/command-line.md."""
        state = self.connection
        return {
            "connection": {
                "id": state.conn_id,
                "present": state.is_present,
                "switched_off": state.is_switched_off,
                "kind": state.kind,
                "error": state.error and describe_error(state.error),
            },
            "engines": [each._asdict() for each in self.sightings],
            "advice": self.advise(),
        }

    def advise(self) -> list[str]:
        """Return what to do, one sentence a line."""
        return list(_advise(self))


def look_everywhere(conn_id: str | None, *, timeout_seconds: float) -> Everywhere:
    """Read the connection and try every engine; blocks until the last has ended."""
    # Where this program is activated itself, it may reach engines already; the probes
    # are to do that by themselves.
    leave_engines()
    snapshot = Snapshot.take()
    name = name_connection(snapshot.environ, conn_id)
    live = Options(current_environment())
    sightings = try_engines(live, name, timeout_seconds=timeout_seconds)
    return Everywhere(_read_state(snapshot, name), sightings)


def _read_state(snapshot: Snapshot, name: ConnectionName) -> ConnectionState:
    environ = snapshot.environ
    state = ConnectionState(
        name.conn_id, find_text(environ, name) is not None, is_disabled(environ)
    )
    if not state.is_present and name.named_by is None:
        return state
    try:
        settings = read_checked(snapshot, name)
    except BotoCoreError as error:
        return state._replace(error=error)
    return state._replace(
        kind=name_kind(settings), names_identity=settings.names_identity
    )


def _advise(everywhere: Everywhere) -> Iterator[str]:
    state, strays = everywhere.connection, everywhere.strays
    if state.error is not None:
        yield "The connection is wrong: `botocore-conn doctor` says what to fix."
    elif not state.is_present:
        yield f"There is no connection '{state.conn_id}': each engine finds its own."
    elif not state.names_identity:
        yield (
            "The connection names no identity: it is whatever botocore's own chain"
            " finds."
        )
    if state.is_switched_off:
        yield "BOTOCORE_CONN_DISABLE is set: programs do not use the connection."
    if not strays:
        return
    yield f"These would not use the connection: {', '.join(strays)}."
    reached = [name for name in strays if name in BOTOCORES]
    programs = [name for name in strays if name in PROGRAMS]
    if reached:
        yield (
            "botocore and what is built on it use it after `botocore-conn activate`, or"
            " in a program that calls install()."
        )
    if len(strays) > len(reached) + len(programs):
        yield (
            "Other engines of a Python program use it after install(engines=True), or"
            " with BOTOCORE_CONN_ENGINES=on where that Python is activated; or give each"
            " its credentials by a bridge."
        )
    yield (
        "Any program uses it under `botocore-conn exec -- COMMAND`. See docs/engines.md."
    )
