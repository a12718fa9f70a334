from __future__ import annotations

import datetime
import ipaddress
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from botocore_conn_provider.errors import WebIdentityTokenError
from botocore_conn_provider.federation.deadline import Deadline, run_within
from botocore_conn_provider.federation.web_identity.bounded_http import (
    Advice,
    BoundedSession,
)
from botocore_conn_provider.federation.web_identity.google.api_errors import FIELDS
from tests.federation.web_identity.google_cloud import write_pem

if TYPE_CHECKING:
    from pathlib import Path


PROXY_DOWN = r"The proxy on the way to https://127\.0\.0\.1:\d+ could not be used\. Check HTTPS_PROXY"


class Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: Any) -> None:
        """Be quiet."""


def write_certificate(folder: Path) -> Path:
    """Write a key and its own certificate for 127.0.0.1 into one file."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = datetime.datetime.now(tz=datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_text(write_pem(key) + certificate.public_bytes(Encoding.PEM).decode())
    return path


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    path = write_certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    server = HTTPServer(("127.0.0.1", 0), Server)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def read(url: str, *direct_hosts: str) -> bytes:
    with BoundedSession(
        conn_id="aws_test",
        advise=lambda _: Advice("", ""),
        fields=FIELDS,
        direct_hosts=direct_hosts,
    ) as session:
        return session.get(url).content


def test_https_is_bounded_too(server: str) -> None:
    assert run_within(Deadline(10), lambda: read(server)) == b"hello"


def test_session_works_without_a_deadline(server: str) -> None:
    assert read(server) == b"hello"


def test_direct_host_is_not_asked_through_a_proxy_over_https(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    assert read(server, "127.0.0.1") == b"hello"
    with pytest.raises(WebIdentityTokenError, match=PROXY_DOWN):
        read(server)


def test_certificate_that_is_not_known_is_refused(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(
        WebIdentityTokenError,
        match=r"TLS: the certificate of https://127\.0\.0\.1:\d+ .*Its issuer",
    ):
        read(server)
