"""A sign-in method of one's own: a form with name and password.

Register it under the entry-point group `botocore_conn_provider.sign_ins`:

    [options.entry_points]
    botocore_conn_provider.sign_ins =
        corp-form = form_sign_in:FormSignIn

and set `idp_auth_method` to `corp-form`. The browser that it is handed keeps the
deadline, the size limit, redirects and the redacted transcript.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from botocore_conn_provider.connection.settings import SamlSignIn
    from botocore_conn_provider.errors import Problem
    from botocore_conn_provider.federation.saml.browser import Answer, Browser


class FormSignIn:
    """Posts the name and password of CORP_USER and CORP_PASSWORD."""

    def __init__(self, sign_in: SamlSignIn, *, conn_id: str) -> None:
        self._sign_in = sign_in
        self._conn_id = conn_id

    def find_problems(self) -> Iterable[Problem]:
        """Say nothing: this method has no `idp_auth_kwargs`."""
        return ()

    def require_libraries(self) -> None:
        """Need nothing beyond the extra `[saml]`."""

    def fetch_page(self, browser: Browser) -> Answer:
        """Post the form and return the page that follows."""
        fields = {"user": os.environ["CORP_USER"], "pass": os.environ["CORP_PASSWORD"]}
        return browser.post(self._sign_in.idp_url, fields=fields)
