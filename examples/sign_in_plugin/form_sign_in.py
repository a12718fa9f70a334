"""A sign-in method: a form with a name and a password.

Installed beside botocore-conn-provider it gives the connection's `idp_auth_method`
the value `corp-form`. The name and the password are in CORP_USER and CORP_PASSWORD.
The browser that it is given keeps the deadline and the size limit, follows redirects
and writes the redacted transcript.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider import IdpRequestError, InvalidConnectionError, Problem

if TYPE_CHECKING:
    from botocore_conn_provider.plugins import Browser, Page, SignInRequest

USER = "CORP_USER"
PASSWORD = "CORP_PASSWORD"  # noqa: S105 - its name
OPTIONS = "assume_role_with_saml.idp_auth_kwargs"


class FormSignIn:
    """Posts the name and the password to the IdP's sign-in page."""

    def __init__(self, request: SignInRequest) -> None:
        self._request = request

    def check(self) -> None:
        """Refuse options, of which there are none, and to run without a password."""
        if self._request.options:
            problem = Problem(OPTIONS, "is not used by 'corp-form'", "Remove it.")
            raise InvalidConnectionError(
                conn_id=self._request.conn_id, problems=[problem]
            )
        if not all(self._request.environ.get(name) for name in (USER, PASSWORD)):
            raise IdpRequestError(
                conn_id=self._request.conn_id,
                cause=f"{USER} or {PASSWORD} is not set.",
                hint="Set both where the program runs.",
            )

    def fetch(self, browser: Browser) -> Page:
        """Post the form and return the page that follows."""
        environ = self._request.environ
        fields = {"user": environ[USER], "pass": environ[PASSWORD]}
        return browser.post(self._request.idp_url, fields=fields)
