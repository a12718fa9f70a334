"""An IdP on loopback that does what a case says, fault by fault.

Its sign-in is real: it accepts Kerberos tokens with the service's keytab. What
it can do beyond Apache is to misbehave.
"""

from __future__ import annotations

import base64
import contextlib
import http.server
import threading
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping


class Seen(NamedTuple):
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    token: bytes | None
    body: bytes

    def __repr__(self) -> str:
        return f"Seen({self.method} {self.path})"


class Idp:
    """The server. `steps` are played one a request; the last one repeats.

    A step is a mapping: `sign_in` (401 unless there is a token that Kerberos
    accepts), `proof` (good, forged, foreign, bare, missing), `status`, `headers`,
    `body`, `packed`, `fault` (drip, hang, break).
    """

    def __init__(self, steps: list[dict[str, Any]], tls: ssl.SSLContext | None) -> None:
        self.steps = steps
        self.seen: list[Seen] = []
        self.released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.idp = self  # type: ignore[attr-defined]
        if tls:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.scheme = "https" if tls else "http"
        self.port = self._server.server_address[1]
        self._lock = threading.Lock()
        self._played = 0

    @contextlib.contextmanager
    def running(self) -> Iterator[Idp]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self.released.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def url(
        self, host: str = "idp.corp.test", path: str = "/sso?client=sentinel"
    ) -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def note(self, seen: Seen) -> tuple[dict[str, Any], bool]:
        """Note a request; return its step and whether it is only asked for a token.

        A request that is asked for one is no step of its own.
        """
        with self._lock:
            step = self.steps[min(self._played, len(self.steps) - 1)]
            asked = bool(step.get("sign_in")) and seen.token is None
            self._played += not asked
            self.seen.append(seen)
        return step, asked


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Keep quiet about clients that hang up: some cases are about that."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        kind, _, text = self.headers.get("Authorization", "").partition(" ")
        token = base64.b64decode(text) if kind == "Negotiate" else None
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        idp: Idp = self.server.idp  # type: ignore[attr-defined]
        seen = Seen(self.command, self.path, dict(self.headers), token, body)
        self._idp = idp
        step, asked = idp.note(seen)
        if asked:
            self._answer(
                401,
                {"WWW-Authenticate": step.get("offer", "Negotiate")},
                b"who are you?",
            )
            return
        self._play(step, token)

    do_POST = do_GET  # noqa: N815

    def _play(self, step: dict[str, Any], token: bytes | None) -> None:
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            **step.get("headers", {}),
        }
        if token is not None and step.get("sign_in"):
            proof = _accept(token)
            shown = _make_proof(step.get("proof", "good"), proof)
            if shown is not None:
                headers["WWW-Authenticate"] = shown
        elif "proof" in step:
            headers["WWW-Authenticate"] = _make_proof(step["proof"], b"") or ""
        headers = {
            k: v.replace("{port}", str(self._idp.port)) for k, v in headers.items()
        }
        body = step.get("body", "")
        data = body if isinstance(body, bytes) else body.encode()
        if step.get("packed"):
            data = _pack(data)
            headers["Content-Encoding"] = step["packed"]
        fault = step.get("fault")
        if fault:
            self._misbehave(fault)
            return
        self._answer(step.get("status", 200), headers, data)

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        if "Date" not in headers:
            self.send_header("Date", self.date_time_string())
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _misbehave(self, fault: str) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            FAULTS[fault](self)

    def _hang(self) -> None:
        self._idp.released.wait(20)

    def _drip(self, data: bytes) -> None:
        for byte in data:
            if self._idp.released.wait(0.02):
                return
            self.wfile.write(bytes([byte]))

    def _pour(self, start: bytes, unit: bytes = b"") -> None:
        """Write the largest page that is read, made to take much memory."""
        body = bytearray(start)
        while len(body) < 512 * 1024 - 10:
            body += unit % len(body) if unit else start
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body)

    def _bomb(self, status: bytes) -> None:
        self.wfile.write(b"HTTP/1.1 " + status + b"\r\nContent-Encoding: gzip\r\n")
        self.wfile.write(b"Content-Type: text/html\r\nConnection: close\r\n\r\n")
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        for _ in range(1000):
            self.wfile.write(packer.compress(b"<p>" * 349_525))
        self.wfile.write(packer.flush())


FAULTS: Mapping[str, Callable[[_Handler], object]] = {
    "hang": _Handler._hang,
    "break": lambda to: to.wfile.write(
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n<html>"
    ),
    "junk": lambda to: to.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "drip-headers": lambda to: to._drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 10_000),
    "drip-body": lambda to: to._drip(
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b" " * 9999
    ),
    "bomb": lambda to: to._bomb(b"200 OK"),
    "bomb-redirect": lambda to: to._bomb(b"302 Found\r\nLocation: /next"),
    "bomb-401": lambda to: to._bomb(b"401 No\r\nWWW-Authenticate: Negotiate"),
    "siblings": lambda to: to._pour(b"<p>"),
    "attributes": lambda to: to._pour(b"<p", b" a%d"),
}


def _accept(token: bytes) -> bytes:
    import gssapi  # compiled against a system package: only a sign-in needs it

    context = gssapi.SecurityContext(usage="accept")
    return context.step(token) or b""


def _pack(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def _make_proof(kind: str, proof: bytes) -> str | None:
    if kind == "missing":
        return None
    if kind == "bare":
        return "Negotiate"
    if kind == "junk":
        return "Negotiate %%%"
    if kind == "forged":
        proof = (
            base64.b64decode("oYG2MIGzoAMKAQChCwYJKoZIhvcSAQICooGeBIGb") + b"x" * 155
        )
    if kind == "foreign":
        proof = FOREIGN[0]
    elif kind == "good":
        FOREIGN[:] = [proof]
    return "Negotiate " + base64.b64encode(proof).decode()


FOREIGN: list[bytes] = []
