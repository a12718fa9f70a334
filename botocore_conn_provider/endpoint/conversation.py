"""One client's HTTP connection: what was read, what is still to be written.

Here is what bounds a client: the size of a request, and the time it may take.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING

from botocore_conn_provider.endpoint.documents import write_denial
from botocore_conn_provider.endpoint.request import (
    LONGEST_BYTES,
    NotARequestError,
    parse_request,
)
from botocore_conn_provider.endpoint.request_rules import Denial

if TYPE_CHECKING:
    from botocore_conn_provider.endpoint.request import Asked
    from botocore_conn_provider.endpoint.supply import Awaited

READ_BYTES = 4096
# What is read until an answer is given, of clients that send without waiting for one.
MOST_BYTES = 4 * LONGEST_BYTES
# For the next whole request, and for the client to take the answer; then, to hang up.
REQUEST_SECONDS, HANG_UP_SECONDS = 10.0, 1.0

MALFORMED = Denial(400, "BadRequest", "The request is not understood.")
HEAD = (
    "HTTP/1.1 {status} {phrase}\r\nContent-Type: {content_type}\r\n"
    "Content-Length: {length}\r\nCache-Control: no-store\r\n"
    "Connection: {connection}\r\n\r\n"
)
JSON = "application/json"
PLAIN_TEXT = "text/plain; version=0.0.4; charset=utf-8"
ENDS_AFTER = 300  # from this status on, the connection ends with the answer


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
        self._in = b""
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
        self._in += data
        return self.find_next()

    def find_next(self) -> Asked | Denial | None:
        """Return a request that was read already."""
        if self.asked is not None or self._closing:
            return None
        try:
            found = parse_request(self._in)
        except NotARequestError:
            return MALFORMED
        if found is None:
            return None
        self.asked, length = found
        self._in = self._in[length:]
        return self.asked

    def wait(self, awaited: Awaited, now: float) -> None:
        """Have the client wait before it is answered."""
        self.awaited = awaited
        self.ends_at = now + awaited.seconds

    def answer(
        self, status: int, body: bytes, now: float, *, content_type: str = JSON
    ) -> None:
        """Have the answer written. A denial ends the connection."""
        ends = status >= ENDS_AFTER or self.asked is None or not self.asked.keeps_open
        head = HEAD.format(
            status=status,
            phrase=HTTPStatus(status).phrase,
            content_type=content_type,
            length=len(body),
            connection="close" if ends else "keep-alive",
        )
        self._out += head.encode() + body
        self.asked = self.awaited = None
        self._read_bytes = 0
        self.ends_at = now + REQUEST_SECONDS
        self._closing = ends

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
