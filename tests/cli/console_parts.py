"""AWS's federation endpoint on loopback, under the names that it has."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

from tests.loopback import LOOPBACK, serve

if TYPE_CHECKING:
    import io
    from collections.abc import Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from tests.certificates import Certificates


class Asked(NamedTuple):
    """One request as the endpoint saw it."""

    method: str
    host: str
    path: str
    query: str
    form: dict[str, str]


class FederationEndpoint:
    """Answers every request the same, and keeps it. The way to it is a `Proxy`.

    With `quotes` it answers what it was sent.
    """

    def __init__(self, body: str, status: str = "200 OK", **headers: str) -> None:
        self.requests: list[Asked] = []
        self.status, self.body, self.headers = status, body, headers
        self.quotes = False
        self.url = f"http://{LOOPBACK}:1"  # nobody is to come by plain HTTP

    @contextlib.contextmanager
    def serve(self, certificates: Certificates) -> Iterator[FederationEndpoint]:
        with serve(self, certificates.tls()) as port:
            self.https_url = f"https://{LOOPBACK}:{port}"
            yield self

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        stream: io.BufferedIOBase = environ["wsgi.input"]
        sent = stream.read(length)
        asked = Asked(
            environ["REQUEST_METHOD"],
            environ["HTTP_HOST"],
            environ["PATH_INFO"],
            environ["QUERY_STRING"],
            dict(parse_qsl(sent.decode())),
        )
        self.requests.append(asked)
        content = sent if self.quotes else self.body.encode()
        headers = {"Content-Length": str(len(content)), **self.headers}
        start_response(self.status, list(headers.items()))
        return [content]
