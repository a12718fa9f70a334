"""One client's HTTP connection: what was read, what is still to be written.

h11 parses, because HTTP is not what this product exists for; it does no I/O. Here is
what bounds a client: the size of a request, and the time it may take.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING

import h11

from botocore_conn_provider.endpoint.documents import write_denial
from botocore_conn_provider.endpoint.request_rules import Denial
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from botocore_conn_provider.endpoint.supply import Awaited

# A request is a line and a dozen headers; the longest of them is the token.
LONGEST_REQUEST_BYTES = 16 * 1024
READ_BYTES = 4096
# What is read until an answer is given, of clients that send without waiting for one.
MOST_BYTES = 4 * LONGEST_REQUEST_BYTES
# For the next whole request, and for the client to take the answer; then, to hang up.
REQUEST_SECONDS, HANG_UP_SECONDS = 10.0, 1.0

MALFORMED = Denial(400, "BadRequest", "The request is not understood.")
HEAD = (
    "HTTP/1.1 {status} {phrase}\r\nContent-Type: application/json\r\n"
    "Content-Length: {length}\r\nCache-Control: no-store\r\n"
    "Connection: {connection}\r\n\r\n"
)
ENDS_AFTER = 300  # from this status on, the connection ends with the answer


class Asked(Value):
    """A whole request."""

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    keeps_open: bool = False
    """Whether the client may ask again by the same connection."""

    def __repr__(self) -> str:  # the token is in it
        return "Asked(…)"


def _expect_request() -> h11.Connection:
    """Return a parser of one request.

    h11 could go on to the next one, but for that it wants to write the answer too, and
    that takes it longer than all the rest.
    """
    return h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_REQUEST_BYTES)


class Conversation:
    """A client's connection, for the one thread of the server.

    Attributes:
        sock: Its socket, non-blocking.
        ends_at: When it is closed if nothing happens until then (`time.monotonic`).
        asked: The request that is being answered; None if there is none.
        awaited: What the answer waits for; None if nothing.
        wanted: The events of its socket that the server looks out for.
    """

    def __init__(self, sock: socket.socket, now: float) -> None:
        self.sock = sock
        self.wanted = selectors.EVENT_READ
        self.ends_at = now + REQUEST_SECONDS
        self.asked: Asked | None = None
        self.awaited: Awaited | None = None
        self._http = _expect_request()
        self._out = b""
        self._read_bytes = 0
        self._closing = False

    @property
    def has_output(self) -> bool:
        """Whether there is something left to write."""
        return bool(self._out)

    @property
    def is_over(self) -> bool:
        """Whether everything is written and the connection is to be closed."""
        return self._closing and not self._out

    @property
    def is_busy(self) -> bool:
        """Whether a client that showed the token waits for an answer."""
        return self.awaited is not None

    def read(self) -> Asked | Denial | None:
        """Return the next request once it is whole; a denial for what is none.

        Raises:
            OSError: The client is gone.
        """
        data = self.sock.recv(READ_BYTES)
        self._read_bytes += len(data)
        if not data or self._read_bytes > MOST_BYTES:
            raise ConnectionResetError
        if self._closing:
            return None
        try:
            self._http.receive_data(data)
        except h11.RemoteProtocolError:
            return MALFORMED
        return self.find_next()

    def find_next(self) -> Asked | Denial | None:
        """Return a request that was read already."""
        if self.asked is not None or self._closing:
            return None
        try:
            event = self._http.next_event()
        except h11.RemoteProtocolError:
            return MALFORMED
        if not isinstance(event, h11.Request):
            return None
        headers = list(event.headers)
        keeps_open = event.http_version == b"1.1" and not any(
            name == b"connection" and b"close" in value.lower()
            for name, value in headers
        )
        self.asked = Asked(event.method, event.target, headers, keeps_open)
        return self.asked

    def wait(self, awaited: Awaited, now: float) -> None:
        """Have the client wait before it is answered."""
        self.awaited = awaited
        self.ends_at = now + awaited.seconds

    def answer(self, status: int, body: bytes, now: float) -> None:
        """Have the answer written. A denial ends the connection."""
        ends = status >= ENDS_AFTER or self.asked is None or not self.asked.keeps_open
        head = HEAD.format(
            status=status,
            phrase=HTTPStatus(status).phrase,
            length=len(body),
            connection="close" if ends else "keep-alive",
        )
        self._out += head.encode() + body
        self.asked = self.awaited = None
        self._read_bytes = 0
        self.ends_at = now + REQUEST_SECONDS
        self._closing = ends
        if not ends:
            ahead, _ = self._http.trailing_data
            self._http = _expect_request()
            if ahead:
                self._http.receive_data(ahead)

    def deny(self, denial: Denial, now: float) -> None:
        """Have a denial written."""
        self.answer(denial.status, write_denial(denial), now)

    def hang_up(self, now: float) -> None:
        """Tell the client that the answer is whole, and let it hang up.

        To close at once would throw away an answer that the client, still sending, has
        not read.
        """
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
        self.ends_at = min(self.ends_at, now + HANG_UP_SECONDS)

    def write(self) -> None:
        """Write what the client takes now.

        Raises:
            OSError: The client is gone.
        """
        if self._out:
            with contextlib.suppress(BlockingIOError):
                sent = self.sock.send(self._out)
                self._out = self._out[sent:]
