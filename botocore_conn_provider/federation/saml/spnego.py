"""Sign in with the Kerberos ticket that is there: SPNEGO, one token a request."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore_conn_provider.errors import (
    InvalidConnectionError,
    MissingDependencyError,
    Problem,
)
from botocore_conn_provider.federation.saml.negotiation import Negotiation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.plugins import Browser, Page, SignInRequest

FIELD = "assume_role_with_saml.idp_auth_kwargs"


class SpnegoSignIn:
    """The built-in sign-in method `spnego`."""

    def __init__(self, request: SignInRequest) -> None:
        self._request = request

    def check(self) -> None:
        """Judge `idp_auth_kwargs`, and whether the options' packages are installed.

        Raises:
            InvalidConnectionError: An option is unknown or has a wrong value.
            MissingDependencyError: `channel_bindings` needs cryptography.
        """
        conn_id = self._request.conn_id
        problems = list(self._find_problems())
        if problems:
            raise InvalidConnectionError(conn_id=conn_id, problems=problems)
        bound = self._request.options.get("channel_bindings")
        if bound and not importlib.util.find_spec("cryptography"):
            raise MissingDependencyError(
                conn_id=conn_id,
                cause="'channel_bindings' needs the package cryptography.",
                hint="Run: pip install cryptography",
            )

    def fetch(self, browser: Browser) -> Page:
        """Fetch the page that follows the sign-in."""
        return browser.get(self._request.idp_url, authenticate=self._authenticate)

    def _find_problems(self) -> Iterator[Problem]:
        options = self._request.options
        for name, value in options.items():
            if name not in _OPTIONS:
                fix = f"SPNEGO knows {', '.join(_OPTIONS)}."
                yield Problem(f"{FIELD}.{name}", "cannot be set", fix)
            elif not _OPTIONS[name](value):
                yield Problem(
                    f"{FIELD}.{name}", "has a value that is not allowed", _VALUES
                )
        plain = urlsplit(self._request.idp_url).scheme == "http"
        if options.get("channel_bindings") and plain:
            seen = "binds to a TLS channel, and 'idp_url' is plain http"
            yield Problem(f"{FIELD}.channel_bindings", seen, "Use https.")

    def _authenticate(self, url: str) -> Negotiation:
        return Negotiation(url, self._request)


def _is_flag(value: object) -> bool:
    return value is None or isinstance(value, bool)


def _is_name(value: object) -> bool:
    return value is None or (isinstance(value, str) and bool(value.strip("@ ")))


def _is_binding(value: object) -> bool:
    return value in (None, "tls-server-end-point")


_OPTIONS = {
    "opportunistic_auth": _is_flag,
    "target_name": _is_name,
    "channel_bindings": _is_binding,
}
_VALUES = (
    "opportunistic_auth: true or false; target_name: HTTP or HTTP@name;"
    " channel_bindings: tls-server-end-point."
)
