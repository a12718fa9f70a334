"""Open an address in a browser, which no other user of this machine gets to see.

A browser is started with the address as its argument, and arguments are public. So it
is given one of a server of ours on 127.0.0.1, which redirects the first that comes,
and nobody after that.
"""

from __future__ import annotations

import secrets
import threading
import webbrowser
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import TYPE_CHECKING

from botocore_conn_provider.errors import ConnProviderError

if TYPE_CHECKING:
    from botocore_conn_provider.secret import Secret

LOOPBACK = "127.0.0.1"
PATIENCE_SECONDS = 60.0
# A browser opens connections that it may never use.
IDLE_SECONDS = 5.0


class Redirection(ThreadingTCPServer):
    """Redirects the first request for `path`. Thread safety: one lock guards it."""

    daemon_threads = True

    def __init__(self, address: Secret) -> None:
        super().__init__((LOOPBACK, 0), Redirect)
        self.path = f"/{secrets.token_urlsafe(32)}"
        self.came = threading.Event()
        self._address: Secret | None = address
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The address that leads here."""
        return f"http://{LOOPBACK}:{self.server_address[1]}{self.path}"

    def take(self, path: str) -> Secret | None:
        """Return the address, once, to who knows the path."""
        with self._lock:
            if not secrets.compare_digest(path.encode(), self.path.encode()):
                return None
            taken, self._address = self._address, None
            return taken

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of one that breaks off: a traceback would be printed."""


class Redirect(BaseHTTPRequestHandler):
    """Answers one browser."""

    timeout = IDLE_SECONDS
    server: Redirection

    def do_GET(self) -> None:
        """Redirect, or say that there is nothing."""
        address = self.server.take(self.path)
        if address is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.FOUND)
        self.send_header("Location", address.reveal())
        self.send_header("Content-Length", "0")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.server.came.set()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base class's name
        """Log nothing."""


def open_once(
    address: Secret, *, conn_id: str, patience_seconds: float = PATIENCE_SECONDS
) -> None:
    """Open the address in the user's browser; blocks until it has come for it.

    Raises:
        ConnProviderError: There is no browser, or it did not come.
    """
    with Redirection(address) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            is_open = webbrowser.open(server.url)
            has_come = is_open and server.came.wait(patience_seconds)
        finally:
            server.shutdown()
    if not is_open:
        raise _explain(conn_id, "no browser could be started here.")
    if not has_come:
        raise _explain(conn_id, "the browser did not come for the address.")


def _explain(conn_id: str, seen: str) -> ConnProviderError:
    hint = "Without --open the address is printed."
    return ConnProviderError(conn_id=conn_id, cause=seen, hint=hint)
