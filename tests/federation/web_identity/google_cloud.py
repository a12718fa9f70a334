"""Google on loopback: OAuth tokens, IAM Credentials, token exchange, metadata.

Unmodified google-auth talks to it. Everything it issues is really signed (RS256)
and everything it is shown is really verified, so a test that passes here has sent
what Google would take. Each request is recorded; one fault at a time can be set.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

ISSUER = "https://accounts.google.com"
# What google-auth writes into an assertion, wherever it sends it.
PUBLIC_TOKEN_URI = "https://oauth2.googleapis.com/token"
ROBOT = "robot@project.iam.gserviceaccount.com"
ROBOT_ID = "100000000000000000042"
TARGET = "target@project.iam.gserviceaccount.com"
TARGET_ID = "100000000000000000077"
CLIENT_ID = "764086051850.apps.googleusercontent.com"
SUBJECT_TOKEN = "subject-token-of-a-workload-0123456789"
REFRESH_TOKEN = "1//refresh-token-of-a-user-0123456789"
CLIENT_SECRET = "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789"


def write_pem(key: Any) -> str:
    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem.decode()


@dataclasses.dataclass(frozen=True)
class Fault:
    """What goes wrong at the paths that contain `at`.

    `kind`: `status`, `slow`, `hang_up`, `drip_headers`, `drip_body`, `endless`.
    """

    at: str
    kind: str = "status"
    status: int = 200
    body: str = ""
    content_type: str = "application/json"
    location: str = ""


class Google:
    """The server. `url` is its address, `requests` what it was asked."""

    def __init__(self) -> None:
        self.signing_key = rsa.generate_private_key(65537, 2048)
        self.robot_key = rsa.generate_private_key(65537, 2048)
        self.ec_key = ec.generate_private_key(ec.SECP256R1())
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._make_handler())
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.host}"
        self.reset()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def reset(self) -> None:
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.secrets: set[str] = {SUBJECT_TOKEN, REFRESH_TOKEN, CLIENT_SECRET}
        self.fault: Fault | None = None
        self.access_tokens: set[str] = set()
        self.claims: dict[str, Any] = {}
        self.token_ending = ""
        self.released = threading.Event()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def keep(self, secret: str) -> str:
        """Note what must be seen nowhere."""
        self.secrets.add(secret)
        return secret

    def sign(self, **claims: Any) -> str:
        now = int(time.time())
        whole = {"iss": ISSUER, "iat": now, "exp": now + 3600, **claims, **self.claims}
        key, header = self.signing_key, {"kid": "google-1"}
        return self.keep(jwt.encode(whole, key, algorithm="RS256", headers=header))

    def issue_access_token(self) -> str:
        token = self.keep(f"ya29.access-token-{len(self.access_tokens)}-0123456789")
        self.access_tokens.add(token)
        return token

    def grant(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """The OAuth token endpoint."""
        if form["grant_type"] == "refresh_token":
            assert form["refresh_token"] == REFRESH_TOKEN
            answer = {"access_token": self.issue_access_token(), "expires_in": 3599}
            user = {"sub": "user-1", "email": "user@example.org"}
            openid = self.sign(aud=CLIENT_ID, azp=CLIENT_ID, **user)
            return 200, {**answer, "id_token": openid, "token_type": "Bearer"}
        assertion = self.keep(form["assertion"])
        try:
            said = jwt.decode(
                assertion,
                self.robot_key.public_key(),
                algorithms=["RS256"],
                audience=[f"{self.url}/token", PUBLIC_TOKEN_URI],
            )
        except jwt.PyJWTError as error:
            description = f"Invalid JWT: {error} {assertion}"
            return 400, {"error": "invalid_grant", "error_description": description}
        if "target_audience" in said:
            who = {"azp": ROBOT, "email": ROBOT, "sub": ROBOT_ID}
            return 200, {"id_token": self.sign(aud=said["target_audience"], **who)}
        return 200, {"access_token": self.issue_access_token(), "expires_in": 3599}

    def exchange(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Security Token Service: a workload's token for a federated one."""
        if form["subject_token"] != SUBJECT_TOKEN:
            return 400, {"error": "invalid_request", "error_description": "unknown"}
        token = self.issue_access_token()
        kind = "urn:ietf:params:oauth:token-type:access_token"
        answer = {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}
        return 200, {**answer, "issued_token_type": kind}

    def act_for(self, path: str, bearer: str, body: dict[str, Any]) -> tuple[int, Any]:
        """IAM Credentials."""
        if bearer.removeprefix("Bearer ") not in self.access_tokens:
            return 401, {"error": {"status": "UNAUTHENTICATED", "message": "no token"}}
        if path.endswith(":generateIdToken"):
            who = {"azp": TARGET_ID, "sub": TARGET_ID}
            email = {"email": TARGET} if body["includeEmail"] else {}
            return 200, {"token": self.sign(aud=body["audience"], **who, **email)}
        if path.endswith("/allowedLocations"):
            return 200, {"locations": [], "encodedLocations": "0x0"}
        return 404, {"error": {"status": "NOT_FOUND", "message": "no such method"}}

    def identify(self, query: dict[str, str]) -> tuple[int, str]:
        """The metadata server's identity document."""
        who = {"azp": ROBOT_ID, "email": ROBOT, "sub": ROBOT_ID}
        if not query.get("audience"):
            return 400, "non-empty audience parameter required"
        return 200, self.sign(aud=query["audience"], **who) + self.token_ending

    def _make_handler(google) -> type[BaseHTTPRequestHandler]:  # noqa: C901, N805 - one handler, many paths
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                """Be quiet."""

            def do_GET(self) -> None:
                self._serve(b"")

            def do_POST(self) -> None:
                self._serve(self.rfile.read(int(self.headers["Content-Length"])))

            def _serve(self, body: bytes) -> None:
                address = urlsplit(self.path)
                google.requests.append(f"{self.command} {address.path}")
                google.headers.append(dict(self.headers.items()))
                fault = google.fault
                if fault and re.search(fault.at, address.path):
                    return self._fail(fault)
                query = {k: v[0] for k, v in parse_qs(address.query).items()}
                status, answer = self._route(address.path, query, body)
                return self._answer(status, answer)

            def _route(self, path: str, query: Any, body: bytes) -> tuple[int, Any]:
                if path.startswith("/computeMetadata/"):
                    if self.headers.get("Metadata-Flavor") != "Google":
                        return 403, "Missing Metadata-Flavor:Google header."
                    return google.identify(query)
                if path == "/subject":
                    return 200, SUBJECT_TOKEN
                if path.startswith("/v1/projects/"):
                    bearer = self.headers.get("Authorization", "")
                    return google.act_for(path, bearer, json.loads(body or b"{}"))
                form = {k: v[0] for k, v in parse_qs(body.decode()).items()}
                return (google.exchange if path == "/v1/token" else google.grant)(form)

            def _answer(self, status: int, answer: Any) -> None:
                text = answer if isinstance(answer, str) else json.dumps(answer)
                kind = "text/html" if isinstance(answer, str) else "application/json"
                self._send(status, text.encode(), kind)

            def _send(self, status: int, body: bytes, kind: str, to: str = "") -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Metadata-Flavor", "Google")
                if to:
                    self.send_header("Location", to)
                self.end_headers()
                self.wfile.write(body)

            def _fail(self, fault: Fault) -> None:
                try:
                    getattr(self, f"_{fault.kind}")(fault)
                except OSError:
                    google.released.set()  # the client shut its side

            def _status(self, fault: Fault) -> None:
                body, kind = fault.body.encode(), fault.content_type
                self._send(fault.status, body, kind, fault.location)

            def _slow(self, _: Fault) -> None:
                self.connection.settimeout(20)
                if not self.connection.recv(1):
                    google.released.set()

            def _hang_up(self, _: Fault) -> None:
                self.connection.close()

            def _drip_headers(self, _: Fault) -> None:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                self._drip()

            def _drip_body(self, _: Fault) -> None:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")
                self._drip()

            def _drip(self) -> None:
                for _ in range(400):
                    self.wfile.write(b" ")
                    time.sleep(0.05)

            def _endless(self, _: Fault) -> None:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                for _round in itertools.count():
                    self.wfile.write(b" " * 65536)

        return Handler
