"""What a failure means, in words that are fit for a log."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from botocore_conn_provider.errors import IdpRequestError
from botocore_conn_provider.network_faults import (
    FaultFields,
    explain_fault,
    explain_proxy_sign_in,
)
from botocore_conn_provider.redaction import show_label

if TYPE_CHECKING:
    from botocore_conn_provider.plugins import IdpAnswer


class Explanation(NamedTuple):
    """A cause and a next step, each whole sentences.

    `retryable` says that the same attempt may succeed a little later. It is
    False for whatever, repeated, could lock an account. `answered` says that the
    IdP itself said so: other processes that sign in the same way would hear the same.
    """

    cause: str
    hint: str
    retryable: bool = False
    answered: bool = False

    def to_error(self, conn_id: str) -> IdpRequestError:
        """Build the error that says it."""
        return IdpRequestError(
            conn_id=conn_id,
            cause=self.cause,
            hint=self.hint,
            retryable=self.retryable,
            answered=self.answered,
        )


# What a connection can set about the way to the IdP.
FIELDS = FaultFields(
    address="'idp_url'",
    verify="'idp_request_kwargs.verify'",
    proxies="'idp_request_kwargs.proxies', HTTPS_PROXY",
    timeout="'idp_request_kwargs.timeout'",
)


def explain_network_error(
    error: BaseException, origin: str, fields: FaultFields = FIELDS
) -> Explanation:
    """Say what kept a request from `origin`, and what to do."""
    fault = explain_fault(error, origin, fields)
    return Explanation(fault.cause, fault.hint, fault.is_transient)


_SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z][\w-]*)(?=\s|,|$)")

HINTS = {
    400: "Check 'idp_url' and 'idp_request_kwargs': the IdP did not understand them.",
    403: "The IdP knows who you are and refuses: ask for the right to this sign-in.",
    404: "Check the path of 'idp_url'.",
    429: "Too many sign-ins: try again later.",
}


def find_schemes(response: IdpAnswer) -> list[str]:
    """Return the names of the sign-ins that a 401 offers, without their values."""
    offered = response.headers.get("WWW-Authenticate", "")
    return [show_label(name) for name in _SCHEME.findall(offered)]


def explain_status(
    response: IdpAnswer, origin: str, retry_after: float | None
) -> Explanation:
    """Say what the status means and what to do."""
    status = response.status_code
    later = f" It asks to come back after {retry_after:.0f} s." if retry_after else ""
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        cause = f"{origin} answered {status}, a redirect that is not followed."
        hint = "Set 'idp_request_kwargs.allow_redirects' to true."
        return Explanation(cause, hint)
    if status == HTTPStatus.UNAUTHORIZED:
        offered = ", ".join(find_schemes(response)) or "no sign-in"
        cause = f"{origin} answered 401 and offers {offered}."
        hint = "Check 'idp_auth_method' and what the IdP offers."
        return Explanation(cause, hint, answered=True)
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        fault = explain_proxy_sign_in(origin, FIELDS)
        return Explanation(fault.cause, fault.hint)
    transient = (
        status == HTTPStatus.TOO_MANY_REQUESTS
        or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    )
    hint = HINTS.get(status, "Look into the IdP's log for the time of this message.")
    cause = f"{origin} answered {status}.{later}"
    return Explanation(cause, hint, transient, answered=True)
