"""Run a WSGI application on a loopback port, over HTTP or HTTPS."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

LOOPBACK = "127.0.0.1"
# How long a server may take to see that it is to end: many tests start two.
POLL_SECONDS = 0.01


class Handler(WSGIRequestHandler):
    """Keep connections open, as AWS does, and keep quiet."""

    protocol_version = "HTTP/1.1"

    def make_environ(self) -> WSGIEnvironment:
        """Keep the one header of AWS's that a WSGI server drops for its underscore."""
        environ = super().make_environ()
        token = self.headers.get("x-amz-sso_bearer_token")
        return {**environ, "HTTP_X_AMZ_SSO_BEARER_TOKEN": token} if token else environ

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the records of the tests are made in the application."""


@contextlib.contextmanager
def serve(
    application: WSGIApplication, tls: ssl.SSLContext | None = None
) -> Iterator[int]:
    """Serve `application`, one thread a connection, and yield the port."""
    server = make_server(
        LOOPBACK,
        0,
        application,
        threaded=True,
        request_handler=Handler,
        ssl_context=tls,
    )
    thread = threading.Thread(
        target=server.serve_forever, args=(POLL_SECONDS,), daemon=True
    )
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
