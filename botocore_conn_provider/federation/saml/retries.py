"""Decide whether the IdP is asked once more, and after what wait.

urllib3's own Retry would send the same request again, with the same Kerberos
token, which a server with a replay cache refuses: the 401 then hides the fault.
So its policy is asked here, around the whole request, and each attempt makes a
token of its own. A 401 is never repeated: it could lock an account.
"""

from __future__ import annotations

import contextlib
from http import HTTPStatus
from typing import TYPE_CHECKING

from urllib3.exceptions import (
    HTTPError,
    InvalidHeader,
    MaxRetryError,
    ProtocolError,
)

from botocore_conn_provider.federation.saml.explanation import Explanation
from botocore_conn_provider.network_faults import find_chain

if TYPE_CHECKING:
    import requests
    from urllib3.util import Retry

    from botocore_conn_provider.federation.deadline import Deadline

TOO_LONG_HINT = "Try again later, or raise 'sign_in_deadline_seconds'."


class WaitTooLongError(Exception):
    """The wait that is asked for does not fit the deadline."""

    def __init__(self, explanation: Explanation) -> None:
        super().__init__(explanation.cause)
        self.explanation = explanation


class Retries:
    """The policy of one login. Counts over all its hops; for one thread."""

    def __init__(self, policy: Retry, deadline: Deadline) -> None:
        self._policy = policy
        self._deadline = deadline

    def allows_after_error(self, method: str, error: Exception) -> bool:
        """Wait and return True if the policy wants one more attempt."""
        try:
            self._policy = self._policy.increment(method, "", error=_find_reason(error))
        except HTTPError:
            return False
        wait = self._policy.get_backoff_time()
        if wait >= self._deadline.remaining_seconds:
            return False
        self._deadline.pause(wait)
        return True

    def allows_after_status(self, response: requests.Response, origin: str) -> bool:
        """Wait and return True if the policy wants one more attempt.

        Raises:
            WaitTooLongError: The server names a wait that the deadline ends before.
        """
        method, status = str(response.request.method), response.status_code
        asked = self.read_retry_after(response)
        if status == HTTPStatus.UNAUTHORIZED:
            return False
        if not self._policy.is_retry(method, status, asked is not None):
            return False
        try:
            self._policy = self._policy.increment(method, "", response=response.raw)
        except HTTPError:
            return False
        obey = asked is not None and self._policy.respect_retry_after_header
        wait = asked if asked is not None and obey else self._policy.get_backoff_time()
        if wait >= self._deadline.remaining_seconds:
            raise WaitTooLongError(self._explain(origin, status, wait))
        self._deadline.pause(wait)
        return True

    def read_retry_after(self, response: requests.Response) -> float | None:
        """Return the seconds that the server asks to wait, None if it names none."""
        with contextlib.suppress(InvalidHeader):
            return self._policy.get_retry_after(response.raw)
        return None

    def _explain(self, origin: str, status: int, wait: float) -> Explanation:
        left, whole = self._deadline.remaining_seconds, self._deadline.seconds
        cause = (
            f"{origin} answered {status}; the next attempt is due in {wait:.0f} s, and"
            f" {left:.0f} s are left of the sign-in's {whole:g} s."
        )
        return Explanation(cause, TOO_LONG_HINT, True)


def _find_reason(error: BaseException) -> Exception:
    """Return the error of urllib3 that its Retry can judge."""
    for link in find_chain(error):
        if isinstance(link, HTTPError) and not isinstance(link, MaxRetryError):
            return link
    return ProtocolError(type(error).__name__)
