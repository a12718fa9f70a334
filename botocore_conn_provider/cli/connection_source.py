"""Find the connection that a command is about: in the environment or on standard input.

Never in arguments, which every process of the machine may read. The text may have
any of the forms that `convert` writes.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from botocore_conn_provider.cli.arguments import add_conn_id
from botocore_conn_provider.cli.forms.airflow_output import find_printed
from botocore_conn_provider.cli.forms.aws_profile import is_profile, read_profile
from botocore_conn_provider.cli.forms.export_line import find_export_line
from botocore_conn_provider.connection.environment import (
    Environ,
    Snapshot,
    find_text,
    is_conn_id,
    name_connection,
)
from botocore_conn_provider.connection.record import Connection, not_found
from botocore_conn_provider.exchange.session_view import SessionView
from botocore_conn_provider.secret import Options, Secret
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    import argparse

    from botocore_conn_provider.connection.environment import ConnectionName

LONGEST_TEXT = 1 << 20


class Given(NamedTuple):
    """A connection's text and where it came from.

    `snapshot` holds the text under the connection's variable, wherever it came from.
    `text` is None if there is none, which is right for the default connection.
    """

    name: ConnectionName
    text: Secret | None
    place: str
    snapshot: Snapshot

    @property
    def environ(self) -> Environ:
        """The environment."""
        return self.snapshot.environ

    @property
    def view(self) -> SessionView:
        """The view of a session on which nothing was said."""
        return SessionView(self.snapshot)

    @property
    def conn_id(self) -> str:
        """The connection's id."""
        return self.name.conn_id

    def parse(self) -> Connection:
        """Read the connection.

        Raises:
            ConnectionNotFoundError: There is none.
            InvalidConnectionError: It is wrong.
        """
        if self.text is None:
            raise not_found(self.name)
        return Connection.parse(
            self.text.reveal(),
            self.conn_id,
            environ=self.snapshot.environ,
            variable=self.place,
        )


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where the connection is read from."""
    add_conn_id(parser)
    parser.add_argument(
        "--stdin",
        action="store_true",
        help="read the connection from standard input: a URI, JSON, an export line,"
        " an AWS profile or what `airflow connections get -o json` writes",
    )


@scrubbed
def read_given(arguments: argparse.Namespace) -> Given:
    """Read the text that the arguments point to.

    Raises:
        InvalidConnectionError: The id is none, or what is on standard input cannot be
            a connection.
    """
    snapshot = Snapshot.take()
    name = name_connection(snapshot.environ, arguments.conn_id)
    if name.is_wrong:
        raise not_found(name)
    if not arguments.stdin:
        text = find_text(snapshot.environ, name)
        return Given(name, text, name.variable, snapshot)
    return read_text(sys.stdin.read(LONGEST_TEXT), name, snapshot)


@scrubbed
def read_text(text: str, name: ConnectionName, snapshot: Snapshot) -> Given:
    """Read any of the forms; most of them name the connection too.

    A name that cannot be an id, as that of a profile may be, is passed over.
    """
    conn_id, text = _unwrap(text, snapshot.environ)
    if conn_id is not None and is_conn_id(conn_id):
        name = name._replace(conn_id=conn_id)
    secret = Secret(text) if text.strip() else None
    changed = Options({**snapshot.environ, name.variable: text})
    return Given(name, secret, "standard input", snapshot._replace(environ=changed))


def _unwrap(text: str, environ: Environ) -> tuple[str | None, str]:
    """Return the id in a form that has one, and the connection's URI or JSON."""
    line = find_export_line(text)
    if line is not None:
        return line.conn_id, line.text
    printed = find_printed(text)
    if printed is not None:
        return printed.conn_id, printed.text
    return read_profile(text, environ) if is_profile(text) else (None, text)
