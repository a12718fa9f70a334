"""Find the connection that a command is about: in the environment or on standard input.

Never in arguments, which every process of the machine may read. The text may have
any of the forms that `convert` writes.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from botocore_conn_provider.cli.forms.aws_profile import is_profile, read_profile
from botocore_conn_provider.cli.forms.export_line import find_export_line
from botocore_conn_provider.connection.environment import (
    Environ,
    Snapshot,
    find_text,
    name_connection,
)
from botocore_conn_provider.connection.record import Connection, not_found
from botocore_conn_provider.exchange.session_view import SessionView
from botocore_conn_provider.secret import Options, Secret

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
            raise not_found(self.conn_id, self.name.variable)
        return Connection.parse(
            self.text.reveal(),
            self.conn_id,
            environ=self.snapshot.environ,
            variable=self.place,
        )


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where the connection is read from."""
    parser.add_argument(
        "--conn-id",
        metavar="ID",
        help="the connection (default: BOTOCORE_CONN_ID, else aws_default)",
    )
    parser.add_argument(
        "--stdin",
        action="store_true",
        help="read the connection from standard input: a URI, JSON, an export line"
        " or an AWS profile",
    )


def read_given(arguments: argparse.Namespace) -> Given:
    """Read the text that the arguments point to.

    Raises:
        InvalidConnectionError: An AWS profile on standard input cannot be one.
    """
    snapshot = Snapshot.take()
    name = name_connection(snapshot.environ, arguments.conn_id)
    if not arguments.stdin:
        text = find_text(snapshot.environ, name)
        secret = None if text is None else Secret(text)
        return Given(name, secret, name.variable, snapshot)
    return read_text(sys.stdin.read(LONGEST_TEXT), name, snapshot)


def read_text(text: str, name: ConnectionName, snapshot: Snapshot) -> Given:
    """Read any of the forms; an export line and a profile name the connection too."""
    line = find_export_line(text)
    if line is not None:
        name, text = name._replace(conn_id=line.conn_id), line.text
    elif is_profile(text):
        conn_id, text = read_profile(text, snapshot.environ)
        name = name._replace(conn_id=conn_id)
    secret = Secret(text) if text.strip() else None
    changed = Options({**snapshot.environ, name.variable: text})
    return Given(name, secret, "standard input", snapshot._replace(environ=changed))
