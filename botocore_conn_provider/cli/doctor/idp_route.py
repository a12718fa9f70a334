"""The way to the IdP below HTTP: proxy, DNS, TCP, TLS.

Through a proxy the proxy is what is resolved and reached; what lies behind it is
the sign-in's to find out.
"""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore_conn_provider.cli.doctor.step import Step
from botocore_conn_provider.redaction import show_origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.connection.settings import SamlSignIn
    from botocore_conn_provider.errors import IdpRequestError

CONNECT_SECONDS = 5.0
PORTS = {"http": 80, "https": 443}


class IdpWay:
    """Goes to the IdP's door and no further: nothing is sent but a handshake."""

    def __init__(self, sign_in: SamlSignIn, *, conn_id: str) -> None:
        self._sign_in = sign_in
        self._conn_id = conn_id
        self._proxy: str | None = None

    def list(self) -> Iterator[Step]:
        """Yield the steps in their order."""
        yield Step("proxy", self._look_at_proxy)
        yield Step("DNS", self._look_at_name)
        yield Step("TCP", self._look_at_port)
        if self._proxy is None and urlsplit(self._sign_in.idp_url).scheme == "https":
            yield Step("TLS", self._look_at_certificate)

    def _look_at_proxy(self) -> Iterator[str]:
        from requests.utils import get_environ_proxies, select_proxy  # extra [saml]

        url = self._sign_in.idp_url
        named = self._sign_in.request.get("proxies") or {}
        proxies = {**get_environ_proxies(url), **named}
        self._proxy = select_proxy(url, proxies)
        yield show_origin(self._proxy) if self._proxy else "none"

    def _find_end(self) -> tuple[str, int]:
        parts = urlsplit(self._proxy or self._sign_in.idp_url)
        return parts.hostname or "", parts.port or PORTS.get(parts.scheme, 80)

    def _look_at_name(self) -> Iterator[str]:
        host, port = self._find_end()
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise self._explain(error) from None
        yield f"{host} is {', '.join(dict.fromkeys(str(f[4][0]) for f in found))}"

    def _look_at_port(self) -> Iterator[str]:
        with self._connect():
            yield f"port {self._find_end()[1]} takes connections"

    def _connect(self) -> socket.socket:
        try:
            return socket.create_connection(self._find_end(), timeout=CONNECT_SECONDS)
        except OSError as error:
            raise self._explain(error) from None

    def _look_at_certificate(self) -> Iterator[str]:
        host, _ = self._find_end()
        with self._connect() as opened:
            try:
                context = _build_context(self._sign_in)
                with context.wrap_socket(opened, server_hostname=host) as secured:
                    yield _describe_tls(secured)
            except OSError as error:
                raise self._explain(error) from None

    def _explain(self, error: OSError) -> IdpRequestError:
        # Imported here: it comes with the extra, as the steps before have found.
        from botocore_conn_provider.federation.saml.explanation import (
            FIELDS,
            explain_network_error,
        )

        if self._proxy is None:
            found = explain_network_error(error, show_origin(self._sign_in.idp_url))
        else:  # what is looked at is the proxy, which other fields name
            fields = FIELDS._replace(address=FIELDS.proxies)
            found = explain_network_error(error, show_origin(self._proxy), fields)
        return found.to_error(self._conn_id)


def _build_context(sign_in: SamlSignIn) -> ssl.SSLContext:
    """Return what requests would trust: the connection's CA, else its own bundle."""
    from certifi import where  # requests itself asks it

    verify: Any = sign_in.request.get("verify")
    place = verify if isinstance(verify, str) else where()
    folder = Path(place).is_dir()
    context = ssl.create_default_context(
        cafile=None if folder else place, capath=place if folder else None
    )
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    cert = sign_in.request.get("cert")
    if cert:
        context.load_cert_chain(*([cert] if isinstance(cert, str) else cert))
    return context


def _describe_tls(secured: ssl.SSLSocket) -> str:
    said = secured.getpeercert() or {}
    issuer = dict(pair[0] for pair in said.get("issuer", ()))  # type: ignore[misc]
    name = issuer.get("commonName") or issuer.get("organizationName") or "not checked"
    until = said.get("notAfter", "unknown")
    return f"{secured.version()}, certificate by {name}, valid until {until}"
