"""Servers and proxies on loopback that fail, each in its own way."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
from typing import TYPE_CHECKING

from tests.loopback import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import trustme

READ_SECONDS = 10


def close_at_once(connection: socket.socket) -> None:
    """Read nothing and say nothing."""


def speak_junk(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"220 mail.example.org ESMTP ready\r\n")


def cut_the_body(connection: socket.socket) -> None:
    connection.recv(65536)
    # In chunks: half a body of a stated length is a whole one to some libraries.
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection.sendall(head + b"ff\r\n<html>")


def hang(connection: socket.socket) -> None:
    while connection.recv(65536):  # until the client gives up
        pass


def stall_in_the_body(connection: socket.socket) -> None:
    cut_the_body(connection)
    hang(connection)


def ask_for_a_sign_in(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(
        b"HTTP/1.1 407 Proxy Authentication Required\r\n"
        b"Proxy-Authenticate: Basic\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )


def refuse_the_tunnel(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")


def finish_the_handshake(connection: socket.socket) -> None:
    """Speak TLS with whoever gets that far."""
    connection.recv(65536)


@contextlib.contextmanager
def serve(
    behave: Callable[[socket.socket], None], tls: ssl.SSLContext | None = None
) -> Iterator[int]:
    """Let every connection meet `behave`; give the port."""

    def meet(connection: socket.socket) -> None:
        connection.settimeout(READ_SECONDS)
        with contextlib.suppress(OSError), contextlib.ExitStack() as opened:
            opened.enter_context(connection)
            if tls is not None:
                connection = tls.wrap_socket(connection, server_side=True)
                opened.enter_context(connection)
            behave(connection)

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            meeting = threading.Thread(target=meet, args=(connection,), daemon=True)
            meeting.start()

    with socket.create_server((LOOPBACK, 0)) as listening:
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)  # wakes the one that accepts
        accepting.join()


def find_closed_port() -> int:
    """Return a port at which nothing listens."""
    with socket.create_server((LOOPBACK, 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def build_tls(
    authority: trustme.CA, name: str, *, has_expired: bool = False
) -> ssl.SSLContext:
    """Return a server's context with a certificate for `name`."""
    now = datetime.datetime.now(tz=datetime.timezone.utc)
    days = -2 if has_expired else 2
    certificate = authority.issue_cert(
        name,
        not_before=now - datetime.timedelta(days=9),
        not_after=now + datetime.timedelta(days=days),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context
