"""An AWS of one's own on loopback: moto's server, and a count of what it was sent."""

from __future__ import annotations

import contextlib
import re
import threading
from typing import TYPE_CHECKING, NamedTuple

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    create_backend_app,
)
from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LOOPBACK = "127.0.0.1"
SIGNATURE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")


class Sent(NamedTuple):
    """One request: who signed it, for which region and service."""

    access_key_id: str
    region: str
    service: str


class EmbeddedAws:
    """The AWS. `sent` is what it has been sent so far."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self.sent: list[Sent] = []
        self.url = ""

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Note the signature, and let moto answer."""
        signature = SIGNATURE.search(environ.get("HTTP_AUTHORIZATION", ""))
        self.sent.append(Sent(*signature.groups()) if signature else Sent("", "", ""))
        answer: Iterable[bytes] = self._moto(environ, start_response)
        return answer

    @contextlib.contextmanager
    def serve(self) -> Iterator[EmbeddedAws]:
        """Serve on a free port of loopback, in threads of this process."""
        server = make_server(
            LOOPBACK, 0, self, threaded=True, request_handler=QuietHandler
        )
        self.url = f"http://{LOOPBACK}:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class QuietHandler(WSGIRequestHandler):
    """Leave the terminal to the demonstration."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""
