"""A certificate authority for the tests, for whichever host is asked for.

Clients that go to AWS's real names through a proxy end at our server, which
must show a certificate for that name: it is made when the name is asked for.
"""

from __future__ import annotations

import functools
import ssl
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path


class Certificates:
    """The authority, with one TLS context per host name."""

    def __init__(self, directory: Path) -> None:
        self._authority = trustme.CA()
        self._context_for = functools.cache(self._make_context)
        self.ca_file = str(directory / "test-ca.pem")
        self._authority.cert_pem.write_to_path(self.ca_file)

    def tls(self) -> ssl.SSLContext:
        """Return the server's context, which chooses by the name asked for."""
        context = self._make_context("127.0.0.1")
        context.sni_callback = self._choose
        return context

    def _choose(
        self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext
    ) -> None:
        if name:
            connection.context = self._context_for(name)

    def _make_context(self, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(name, "localhost").configure_cert(context)
        return context
