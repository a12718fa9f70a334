"""Serve HTTP on a loopback port, for the programs that `whoami` starts."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

LOOPBACK = "127.0.0.1"
POLL_SECONDS = 0.05
IDLE_SECONDS = 30
LARGEST_BODY = 1 << 20


class Request(NamedTuple):
    """What was asked; `target` is a path with its query, of a proxy a whole URL."""

    method: str
    target: str
    headers: Message
    body: bytes


class Answer(NamedTuple):
    """What is said to it."""

    status: HTTPStatus = HTTPStatus.OK
    text: str = ""
    content_type: str = "text/plain"
    headers: Mapping[str, str] = {}


Application = Callable[[Request], Answer]


@contextlib.contextmanager
def serve(application: Application) -> Iterator[str]:
    """Serve until the end of the context, a thread a connection; yield the URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = IDLE_SECONDS

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(min(length, LARGEST_BODY))
            request = Request(self.command, self.path, self.headers, body)
            _send(self, application(request))

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_CONNECT = answer  # noqa: N815 - its base class's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    # Not http.server's: that one asks DNS for the name of its address.
    with _Server((LOOPBACK, 0), Handler) as server:
        thread = threading.Thread(
            target=server.serve_forever, args=(POLL_SECONDS,), daemon=True
        )
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a program that was ended leaves its connections half open."""


def _send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    content = answer.text.encode()
    handler.send_response(answer.status)
    handler.send_header("Content-Type", answer.content_type)
    handler.send_header("Content-Length", str(len(content)))
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(content)
