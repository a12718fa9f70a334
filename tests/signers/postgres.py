"""As much of a PostgreSQL server as tells with which password somebody signs in.

It asks for the password in clear text, as RDS and Redshift do for theirs, over TLS if
the client wants it. A query is answered with one row that holds the version, and one
for the server's types with none.
"""

from __future__ import annotations

import contextlib
import socketserver
import struct
import threading
from typing import TYPE_CHECKING, NamedTuple

from tests.loopback import LOOPBACK, POLL_SECONDS

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from tests.certificates import Certificates

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104
TEXT_TYPE = 25
VERSION = b"PostgreSQL 16.4"
ROW = struct.pack("!hi", 1, len(VERSION)) + VERSION
COLUMN = struct.pack("!h8sihihih", 1, b"version\0", 0, 0, TEXT_TYPE, -1, -1, 0)
READY = (b"Z", b"I")
DONE = (b"C", b"SELECT 1\0")
# What each message of a client is answered with; the others with nothing.
ANSWERS = {
    b"P": [(b"1", b"")],
    b"B": [(b"2", b"")],
    b"D": [(b"t", struct.pack("!h", 0)), (b"T", COLUMN)],
    b"E": [(b"D", ROW), DONE],
    b"S": [READY],
    b"Q": [(b"T", COLUMN), (b"D", ROW), DONE, READY],
}


class Login(NamedTuple):
    """Who signed in with which password, and whether TLS hid it."""

    user: str
    password: str
    is_hidden: bool


class Postgres:
    """The server. `logins` are those that came."""

    port: int

    def __init__(self, certificates: Certificates) -> None:
        self._tls = certificates.tls()
        self.logins: list[Login] = []

    @contextlib.contextmanager
    def serve(self) -> Iterator[Postgres]:
        talk = self._talk

        class Client(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                talk(self.request)

        with socketserver.ThreadingTCPServer((LOOPBACK, 0), Client) as server:
            server.daemon_threads = True
            server.block_on_close = False
            self.port = server.server_address[1]
            threading.Thread(
                target=server.serve_forever, args=(POLL_SECONDS,), daemon=True
            ).start()
            yield self
            server.shutdown()

    def _talk(self, plain: socket.socket) -> None:
        with contextlib.suppress(ConnectionError):
            opened, parameters = self._open(plain)
            with opened as connection:
                write(connection, (b"R", struct.pack("!i", 3)))
                _, password = read(connection)
                user = parameters[parameters.index("user") + 1]
                is_hidden = connection is not plain
                self.logins.append(Login(user, password[:-1].decode(), is_hidden))
                write(connection, (b"R", struct.pack("!i", 0)), READY)
                answer_queries(connection)

    def _open(self, connection: socket.socket) -> tuple[socket.socket, list[str]]:
        """Agree on TLS, and read for whom the connection is."""
        while True:
            (length,) = struct.unpack("!i", read_exactly(connection, 4))
            content = read_exactly(connection, length - 4)
            (code,) = struct.unpack("!i", content[:4])
            if code == GSS_REQUEST:
                connection.sendall(b"N")
            elif code == SSL_REQUEST:
                connection.sendall(b"S")
                connection = self._tls.wrap_socket(connection, server_side=True)
            else:
                return connection, content[4:].decode().split("\0")


def answer_queries(connection: socket.socket) -> None:
    """Answer until the client leaves."""
    for_types = False
    while True:
        kind, content = read(connection)
        if kind == b"P":
            for_types = b"pg_type" in content
        answers = ANSWERS.get(kind, [])
        if kind == b"D" and content[:1] == b"P":
            answers = answers[1:]  # a portal has no parameters
        if kind == b"E" and for_types:
            answers = [DONE]
        write(connection, *answers)


def write(connection: socket.socket, *messages: tuple[bytes, bytes]) -> None:
    for kind, content in messages:
        connection.sendall(kind + struct.pack("!i", len(content) + 4) + content)


def read(connection: socket.socket) -> tuple[bytes, bytes]:
    head = read_exactly(connection, 5)
    kind, length = struct.unpack("!ci", head)
    return kind, read_exactly(connection, length - 4)


def read_exactly(connection: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        more = connection.recv(size - len(content))
        if not more:
            raise ConnectionError
        content += more
    return content
