"""HTTP for token sources: bounded, direct where it must be, and silent.

`requests` would follow redirects, read `~/.netrc` over our Authorization header,
read bodies of any size, and put whole URLs into its errors. So an adapter judges
every answer before the library that asked for it sees it: what comes back to that
library is a 200 of bearable size, and everything else is raised as our error, which
no library retries, wraps or logs.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import requests  # this module is imported late itself: see google/google_tokens.py
import urllib3

from botocore_conn_provider.errors import WebIdentityTokenError
from botocore_conn_provider.federation.deadline import find_deadline
from botocore_conn_provider.federation.watched_http import WatchedAdapter
from botocore_conn_provider.network_faults import (
    FaultFields,
    NetworkFault,
    explain_fault,
    explain_proxy_sign_in,
)
from botocore_conn_provider.redaction import show_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

OK = 200
PROXY_SIGN_IN = 407
TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500
GRACE_SECONDS = 1.0
CONNECT_TIMEOUT_SECONDS = 5.0
# A token has at most 20,000 characters, and what is around it is small.
LARGEST_BODY_BYTES = 256 * 1024


class Refusal(NamedTuple):
    """An answer that is no 200, or has a body without end."""

    host: str
    path: str
    status: int
    body: bytes

    def __repr__(self) -> str:
        return f"Refusal({self.status} of {self.host})"


class Advice(NamedTuple):
    """What an answer's body said, fit for a log, and what to do about it."""

    reason: str
    hint: str


class BoundedSession(requests.Session):
    """A session for one fetch; close it. Obeys the deadline it runs under.

    Plain http and `direct_hosts` never go through a proxy: such hosts are metadata
    servers of this very machine, and the proxy's machine has one of its own.

    Args:
        conn_id: The connection, for errors.
        advise: Explains a refusal.
        fields: What can be set about the way, for errors.
        direct_hosts: Hosts that are reached directly over https too.

    Attributes:
        last_origin: Whom the latest request went to; None before the first.
    """

    def __init__(
        self,
        *,
        conn_id: str,
        advise: Callable[[Refusal], Advice],
        fields: FaultFields,
        direct_hosts: Collection[str] = (),
    ) -> None:
        super().__init__()
        self._direct_hosts = direct_hosts
        self.last_origin: str | None = None
        self.auth = _leave_headers_alone
        self.headers["Accept-Encoding"] = "identity"
        adapter = JudgingAdapter(conn_id=conn_id, advise=advise, fields=fields)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def send(self, request: Any, **options: Any) -> Any:
        """Send, and remember to whom."""
        self.last_origin = show_origin(str(request.url))
        return super().send(request, **options)

    def merge_environment_settings(  # noqa: PLR0917 - the signature of requests
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        """Take the environment's proxies for hosts beyond this machine only."""
        settings = super().merge_environment_settings(
            url, proxies, stream, verify, cert
        )
        address = urlsplit(str(url))
        if address.scheme == "http" or address.hostname in self._direct_hosts:
            settings["proxies"] = {}
        return settings


def _leave_headers_alone(request: Any) -> Any:
    """Be an `auth` that does nothing, so that `~/.netrc` is not one either."""
    return request


class JudgingAdapter(WatchedAdapter):
    """Lets a 200 of bearable size through and raises everything else."""

    def __init__(
        self,
        *,
        conn_id: str,
        advise: Callable[[Refusal], Advice],
        fields: FaultFields,
    ) -> None:
        self._conn_id = conn_id
        self._advise = advise
        self._fields = fields
        super().__init__()

    def send(self, request: Any, *positional: Any, **options: Any) -> Any:
        """Send without redirects, within the deadline, and judge the answer.

        Raises:
            WebIdentityTokenError: No answer, no 200, or a body without end.
        """
        address = urlsplit(request.url)
        host, path = address.hostname or "", address.path
        options.update(stream=True, timeout=_bound())
        try:
            answer = super().send(request, *positional, **options)
            body = _read(answer)
        except (OSError, urllib3.exceptions.HTTPError) as error:
            fault = explain_fault(error, show_origin(request.url), self._fields)
            raise self._explain(fault, retryable=True) from None
        if answer.status_code == PROXY_SIGN_IN:
            fault = explain_proxy_sign_in(show_origin(request.url), self._fields)
            raise self._explain(fault, retryable=False)
        if answer.status_code != OK:
            refusal = Refusal(host, path, answer.status_code, body)
            raise self._error(refusal, f"answered {answer.status_code}")
        if len(body) > LARGEST_BODY_BYTES:
            raise self._error(Refusal(host, path, OK, b""), "sent a body without end")
        answer.raw = io.BytesIO(body)
        return answer

    def _explain(
        self, fault: NetworkFault, *, retryable: bool
    ) -> WebIdentityTokenError:
        return WebIdentityTokenError(
            conn_id=self._conn_id,
            cause=fault.cause,
            hint=fault.hint,
            retryable=retryable,
        )

    def _error(self, refusal: Refusal, seen: str) -> WebIdentityTokenError:
        advice = self._advise(refusal)
        status = refusal.status
        reason = f": {advice.reason}" if advice.reason else ""
        return WebIdentityTokenError(
            conn_id=self._conn_id,
            cause=f"{refusal.host} {seen}{reason}.",
            hint=advice.hint,
            retryable=status == TOO_MANY_REQUESTS or status >= SERVER_ERROR,
        )


def _bound() -> tuple[float, float]:
    """Return connect and read timeouts a little beyond what is left of the deadline.

    Beyond, so that it is always the deadline that ends a wait, with its own words.
    """
    deadline = find_deadline()
    left = deadline.remaining_seconds if deadline else CONNECT_TIMEOUT_SECONDS
    beyond = left + GRACE_SECONDS
    return min(CONNECT_TIMEOUT_SECONDS, beyond), beyond


def _read(answer: Any) -> bytes:
    """Read one byte more than is allowed at most, still compressed if it is."""
    try:
        body: bytes = answer.raw.read(LARGEST_BODY_BYTES + 1, decode_content=False)
        promised = answer.headers.get("Content-Length", "")
        # urllib3 notices a cut only where it is asked for more than there is.
        if promised.isdigit() and len(body) < min(int(promised), LARGEST_BODY_BYTES):
            raise urllib3.exceptions.ProtocolError("the body was cut")
        return body
    finally:
        answer.raw.close()
