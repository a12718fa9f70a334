"""Walk through an IdP's sign-in: one bounded session, redirects by hand.

requests would follow a redirect with the user's own headers, with the token of
the hop before (which the replay cache refuses), and from https to http without
a word. So every hop is one request here, whose token is made for its own host.
A browser belongs to one login and one thread; nothing is kept between logins.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import requests
from requests.cookies import extract_cookies_to_jar
from urllib3.exceptions import HTTPError

from botocore_conn_provider.federation.saml.answer_body import (
    UnreadableAnswerError,
    read_body,
)
from botocore_conn_provider.federation.saml.explanation import (
    Explanation,
    explain_network_error,
    explain_status,
)
from botocore_conn_provider.federation.saml.redirect import Authorization, PageRequest
from botocore_conn_provider.federation.saml.request_options import (
    RequestOptions,
    build_retry,
)
from botocore_conn_provider.federation.saml.retries import Retries, WaitTooLongError
from botocore_conn_provider.federation.watched_http import WatchedAdapter
from botocore_conn_provider.plugins import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore_conn_provider.connection.settings import SamlSignIn
    from botocore_conn_provider.federation.deadline import Deadline
    from botocore_conn_provider.federation.saml.transcript import Transcript
    from botocore_conn_provider.plugins import Authentication

MOST_REDIRECTS = 20


class IdpBrowser:
    """The `plugins.Browser` of one sign-in.

    Every call is bounded by the sign-in's deadline and follows redirects. It
    raises IdpRequestError for whatever is not a page (2xx) in the end.
    """

    def __init__(
        self,
        sign_in: SamlSignIn,
        *,
        conn_id: str,
        deadline: Deadline,
        transcript: Transcript,
    ) -> None:
        self._idp_url = sign_in.idp_url
        self._conn_id = conn_id
        self._deadline = deadline
        self._transcript = transcript
        self._options = RequestOptions.from_options(sign_in.request)
        self._retries = Retries(build_retry(sign_in.retry), deadline)
        self._responses: list[requests.Response] = []
        self._session = requests.Session()
        self._session.headers["Accept-Encoding"] = "gzip"  # what read_body() unpacks
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, WatchedAdapter())

    def close(self) -> None:
        """Close all connections, also those of answers that were not read."""
        for response in self._responses:
            response.close()
        self._session.close()

    def get(
        self, url: str, *, authenticate: Callable[[str], Authentication] | None = None
    ) -> Page:
        """Fetch a page; each request is authenticated by `authenticate(its URL)`."""
        return self._walk(PageRequest("GET", url), authenticate)

    def post(self, url: str, *, fields: Mapping[str, str]) -> Page:
        """Send a form as a browser does and fetch the page that it leads to."""
        return self._walk(PageRequest("POST", url, fields), None)

    def _walk(
        self, hop: PageRequest, authenticate: Callable[[str], Authentication] | None
    ) -> Page:
        for _ in range(MOST_REDIRECTS + 1):
            outcome = self._persist(hop, authenticate)
            if isinstance(outcome, Page):
                return outcome
            hop = outcome
        raise self._error(
            Explanation(
                f"{hop.origin} redirected more than {MOST_REDIRECTS} times.",
                "Look at the way with 'log_idp_response'; cookies may be missing.",
            )
        )

    def _persist(
        self, hop: PageRequest, authenticate: Callable[[str], Authentication] | None
    ) -> Page | PageRequest:
        """Do one hop, as often as the retry policy wants it."""
        outcome = None
        while outcome is None:
            outcome = self._try(hop, authenticate and authenticate(hop.url))
        return outcome

    def _try(
        self, hop: PageRequest, authentication: Authentication | None
    ) -> Page | PageRequest | None:
        """Do one hop once; None if it is to be done again."""
        try:
            with self._request(hop, authentication) as response:
                if self._retries.allows_after_status(response, hop.origin):
                    return None
                return self._conclude(hop, response)
        except (UnreadableAnswerError, WaitTooLongError) as error:
            raise self._error(error.explanation) from None
        except (requests.RequestException, HTTPError) as error:
            self._deadline.require_time()
            explanation = explain_network_error(error, hop.origin)
            if explanation.retryable and self._retries.allows_after_error(
                hop.method, error
            ):
                return None
            raise self._error(explanation) from None

    def _request(
        self, hop: PageRequest, authentication: Authentication | None
    ) -> requests.Response:
        """Send one request, and once more with the answer to a 401."""
        self._deadline.doing = f"making the sign-in's proof for {hop.origin}"
        greeting = authentication.greet() if authentication else None
        response = self._send(hop, greeting)
        asked = response.status_code == HTTPStatus.UNAUTHORIZED
        if asked and authentication and not greeting:
            with response:
                self._deadline.doing = f"making the sign-in's proof for {hop.origin}"
                authorization = authentication.answer(response)
                read_body(response, self._deadline, hop.origin)  # frees the connection
            response = self._send(hop, authorization)
            asked = response.status_code == HTTPStatus.UNAUTHORIZED
        if asked:
            with response:
                raise (
                    authentication.refuse(response)
                    if authentication
                    else self._error(explain_status(response, hop.origin, None))
                )
        if authentication:
            authentication.judge(response)
        return response

    def _send(self, hop: PageRequest, authorization: str | None) -> requests.Response:
        options = self._options
        settings = self._session.merge_environment_settings(
            hop.url, dict(options.proxies), True, options.verify, options.cert
        )
        request = self._session.prepare_request(self._build(hop, authorization))
        self._transcript.note_request(request)
        self._deadline.doing = f"waiting for {hop.origin}"
        # Not Session.send(): of a redirect it reads and unpacks the whole body.
        settings["stream"] = True
        adapter = self._session.get_adapter(str(request.url))
        response = adapter.send(request, timeout=self._find_timeout(), **settings)  # type: ignore[arg-type]
        extract_cookies_to_jar(self._session.cookies, request, response.raw)  # type: ignore[no-untyped-call]
        self._responses.append(response)
        self._transcript.note_response(response)
        return response

    def _build(self, hop: PageRequest, authorization: str | None) -> requests.Request:
        """Build the request; the user's own content goes to the IdP's host only."""
        content = dict(self._options.content)
        foreign = self._session.should_strip_auth(self._idp_url, hop.url)  # type: ignore[no-untyped-call]
        if foreign:
            content = {}
        own = {"headers": content.get("headers"), "cookies": content.get("cookies")}
        if hop.is_first and hop.fields is None:
            own = content
        auth = Authorization(authorization)
        return requests.Request(hop.method, hop.url, data=hop.fields, auth=auth, **own)

    def _find_timeout(self) -> tuple[float, float]:
        """Return the user's connect and read time-outs, cut to what is left."""
        left, asked = self._deadline.require_time(), self._options.timeout
        connect, read = asked if isinstance(asked, tuple) else (asked, asked)
        return min(connect or left, left), min(read or left, left)

    def _conclude(
        self, hop: PageRequest, response: requests.Response
    ) -> Page | PageRequest:
        """Turn a response into the next hop or the final answer."""
        target = self._session.get_redirect_target(response)
        if target and self._options.allow_redirects:
            return self._follow(hop, target)
        if not HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            asked = self._retries.read_retry_after(response)
            raise self._error(explain_status(response, hop.origin, asked))
        body = read_body(response, self._deadline, hop.origin)
        content_type = response.headers.get("Content-Type", "")
        return Page(hop.origin, content_type, body)

    def _follow(self, hop: PageRequest, target: str) -> PageRequest:
        following = hop.follow(target)
        if isinstance(following, Explanation):
            raise self._error(following)
        return following

    def _error(self, explanation: Explanation) -> Exception:
        return explanation.to_error(self._conn_id)
