"""Tell what passed between us and the IdP, for `log_idp_response`, redacted.

A user who cannot sign in needs the order of hops, the statuses, the kinds of
answers and the shape of the page, and can send that to a colleague. Values are
left out, whatever they are: only names, lengths and a few headers that cannot
hold a secret are shown.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from botocore_conn_provider.redaction import show_label, show_origin
from botocore_conn_provider.secret import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterable

    import requests

logger = logging.getLogger(__name__)

HARMLESS_HEADERS = ("Content-Type", "Content-Length", "Date", "Server", "Retry-After")


class Transcript:
    """Writes to the log at INFO if `enabled`, else nowhere."""

    def __init__(self, *, conn_id: str, enabled: bool) -> None:
        self._conn_id = conn_id
        self._enabled = enabled

    def note_request(self, request: requests.PreparedRequest) -> None:
        """Note the method, scheme and host, and the names of the headers."""
        names = ", ".join(sorted(map(show_label, request.headers)))
        self._note(f"> {request.method} {show_origin(str(request.url))}/… ({names})")

    def note_response(self, response: requests.Response) -> None:
        """Note the status, the headers that hold no secret, the names of others."""
        told = [
            f"{name}: {show_label(value) if name in HARMLESS_HEADERS else HIDDEN}"
            for name, value in response.headers.items()
        ]
        cookies = ", ".join(show_label(name) for name in response.cookies.keys())  # noqa: SIM118 - a jar yields cookies, not names
        self._note(f"< {response.status_code} ({'; '.join(told)}) cookies: {cookies}")

    def note_page(self, lines: Iterable[str]) -> None:
        """Note the outline of the final page."""
        for line in lines:
            self._note(f"| {line}")

    def _note(self, text: str) -> None:
        if self._enabled:
            logger.info("Connection '%s': IdP %s", self._conn_id, text)
