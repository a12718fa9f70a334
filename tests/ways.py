"""What may lie between a process and AWS: a proxy, the metadata server."""

from __future__ import annotations

import contextlib
import datetime
import json
import socket
import socketserver
import threading
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import urlsplit

from tests.loopback import LOOPBACK, POLL_SECONDS, serve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from tests.leaks import Secrets


class ProxyRequest(NamedTuple):
    """`target` is a URL, or host:port for CONNECT."""

    method: str
    target: str
    authorization: str | None


class Ends(Protocol):
    """Where every road of a proxy leads: of plain HTTP, and of HTTPS."""

    url: str
    https_url: str


class Proxy:
    """A forward proxy whose every road leads to the embedded AWS.

    So a client that goes to AWS's real names can be watched without a network:
    plain HTTP by the whole URL, HTTPS by CONNECT (trust `Aws.ca_file`).
    """

    url: str

    def __init__(self, aws: Ends) -> None:
        self.requests: list[ProxyRequest] = []
        self._http = urlsplit(aws.url)
        self._https = urlsplit(aws.https_url)

    @contextlib.contextmanager
    def serve(self) -> Iterator[Proxy]:
        road = self._road

        class Road(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                road(self.connection)

        with socketserver.ThreadingTCPServer((LOOPBACK, 0), Road) as server:
            server.daemon_threads = True
            server.block_on_close = False
            self.url = f"http://{LOOPBACK}:{server.server_address[1]}"
            threading.Thread(
                target=server.serve_forever, args=(POLL_SECONDS,), daemon=True
            ).start()
            yield self
            server.shutdown()

    def _road(self, near: socket.socket) -> None:
        head = read_head(near)
        if not head:
            return
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        headers = {line.partition(":")[0].lower(): line for line in lines[1:]}
        authorization = headers.get("proxy-authorization", "").partition(": ")[2]
        self.requests.append(ProxyRequest(method, target, authorization or None))
        tunnel = method == "CONNECT"
        end = self._https if tunnel else self._http
        with socket.create_connection((LOOPBACK, int(end.port or 0))) as far:
            if tunnel:
                near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                far.sendall(head)
            relay(near, far)


def read_head(connection: socket.socket) -> bytes:
    """Read up to the blank line. What follows is left where it is."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            return b""
        head += byte
    return head


def relay(near: socket.socket, far: socket.socket) -> None:
    """Pass bytes both ways until both sides have ended."""
    back = threading.Thread(target=_pass, args=(far, near), daemon=True)
    back.start()
    _pass(near, far)
    back.join()


def _pass(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class MetadataServer:
    """The instance metadata service, version 2 only, with one role's keys."""

    url: str
    role_name = "instance-role"

    def __init__(self, secrets: Secrets) -> None:
        self.paths: list[str] = []
        self.is_down = False
        self.access_key_id = secrets.new_access_key_id()
        self.session_token = secrets.new_session_token()
        self._secret_access_key = secrets.new("metadata secret key")
        self._token = secrets.new("metadata token")

    @contextlib.contextmanager
    def serve(self) -> Iterator[MetadataServer]:
        with serve(self) as port:
            self.url = f"http://{LOOPBACK}:{port}"
            yield self

    def environment(self) -> dict[str, str]:
        """Return the variables that lead botocore here."""
        return {
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.url,
            "AWS_EC2_METADATA_DISABLED": "false",
        }

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.paths.append(path)
        status, text = self._answer(environ, path)
        length = ("Content-Length", str(len(text)))
        start_response(status, [("Content-Type", "text/plain"), length])
        return [text.encode()]

    def _answer(self, environ: WSGIEnvironment, path: str) -> tuple[str, str]:
        if self.is_down:
            return "503 Service Unavailable", ""
        credentials = "/latest/meta-data/iam/security-credentials/"
        if environ["REQUEST_METHOD"] == "PUT" and path == "/latest/api/token":
            return "200 OK", self._token
        if environ.get("HTTP_X_AWS_EC2_METADATA_TOKEN") != self._token:
            return "401 Unauthorized", ""
        texts = {
            credentials: self.role_name,
            credentials + self.role_name: self._keys(),
        }
        return ("200 OK", texts[path]) if path in texts else ("404 Not Found", "")

    def _keys(self) -> str:
        now = datetime.datetime.now(datetime.timezone.utc)
        keys = {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self._secret_access_key,
            "Token": self.session_token,
            "LastUpdated": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "Expiration": (now + datetime.timedelta(hours=6)).strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            ),
        }
        return json.dumps(keys)
