"""One step of a sign-in: a request to send, and where its redirect may lead."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin, urlsplit

from requests.auth import AuthBase

from botocore_conn_provider.federation.saml.explanation import Explanation
from botocore_conn_provider.redaction import show_origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

STEPS = (("https", "https"), ("http", "https"), ("http", "http"))


class PageRequest(NamedTuple):
    """A request to one host. `fields` are those of a form that is sent."""

    method: str
    url: str
    fields: Mapping[str, str] | None = None
    is_first: bool = True

    def __repr__(self) -> str:
        return f"PageRequest({self.method} {self.origin})"

    @property
    def origin(self) -> str:
        """The scheme and the host, which is all that may be shown."""
        return show_origin(self.url)

    def follow(self, target: str) -> PageRequest | Explanation:
        """Return the hop that a redirect leads to, or why it is not gone."""
        try:
            url = urljoin(self.url, target)
            step = (urlsplit(self.url).scheme, urlsplit(url).scheme)
        except ValueError:
            step = ("", "")
        if step in STEPS:
            return PageRequest("GET", url, is_first=False)
        where = step[1] if step[1] in ("http", "https") else "something else"
        return Explanation(
            f"{self.origin} redirects to {where}, where a sign-in never goes.",
            "Have the IdP redirect to an https address.",
        )


class Authorization(AuthBase):
    """Sets our header or none; with it requests does not look into ~/.netrc."""

    def __init__(self, authorization: str | None) -> None:
        self._authorization = authorization

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._authorization:
            request.headers["Authorization"] = self._authorization
        return request
