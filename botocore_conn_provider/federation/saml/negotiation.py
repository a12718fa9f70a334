"""One SPNEGO exchange: our proof for one request, and the server's for its answer.

requests_gssapi makes the tokens; its way of sending them is not used, because
it answers a second 401, sends a used token along a redirect, hides what
Kerberos said, and takes any reply, or none, for the server's proof: python-gssapi
keeps the error of a forged proof back until the context is asked for something.

Source: RFC 4559 (Negotiate), RFC 5929 (tls-server-end-point).
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import email.utils
import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import gssapi
import requests_gssapi
from gssapi.raw.misc import GSSError
from requests_gssapi.exceptions import SPNEGOExchangeError

from botocore_conn_provider.errors import IdpRequestError
from botocore_conn_provider.federation.saml.explanation import (
    Explanation,
    explain_status,
    find_schemes,
)
from botocore_conn_provider.federation.saml.kerberos import (
    CLIENT_KEYTAB,
    Service,
    acquire,
    explain_kerberos,
)
from botocore_conn_provider.redaction import show_origin

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import SamlSignIn
    from botocore_conn_provider.errors import ConnProviderError
    from botocore_conn_provider.plugins import IdpAnswer, SignInRequest

ALLOWED_SKEW_SECONDS = 300  # Kerberos's own default
MUTUAL = {
    "REQUIRED": requests_gssapi.REQUIRED,
    "OPTIONAL": requests_gssapi.OPTIONAL,
    "DISABLED": requests_gssapi.DISABLED,
}
_NEGOTIATE = re.compile(
    r"(?:^|,)\s*negotiate(?:\s+([^\s,]+))?\s*(?=,|$)", re.IGNORECASE
)


class Negotiation:
    """The `plugins.Authentication` of one request, and a check of the server's."""

    def __init__(self, url: str, request: SignInRequest) -> None:
        self._url = url
        self._request = request
        self._service = choose_service(
            url,
            idp_url=request.idp_url,
            target_name=request.options.get("target_name"),
        )._replace(keytab=request.environ.get(CLIENT_KEYTAB))
        self._context: gssapi.SecurityContext | None = None

    def greet(self) -> str | None:
        """Return a token unasked, if the connection wants it.

        With channel bindings there is nothing to bind to before a connection.
        On the way to another host a guess that fails waits to be asked.
        """
        options = self._request.options
        if not options.get("opportunistic_auth") or options.get("channel_bindings"):
            return None
        try:
            return self._make_token(None)
        except IdpRequestError:
            if _is_same_host(self._url, self._request.idp_url):
                raise
            return None

    def answer(self, challenge: IdpAnswer) -> str:
        """Return a token for the host that asks for one."""
        if not _NEGOTIATE.search(challenge.headers.get("WWW-Authenticate", "")):
            explanation = explain_status(challenge, show_origin(self._url), None)
            cause = f"{explanation.cause[:-1]}, and not Negotiate (SPNEGO)."
            hint = (
                "Check the path of 'idp_url': the IdP's Kerberos sign-in has its own."
            )
            raise Explanation(cause, hint).to_error(self._request.conn_id)
        return self._make_token(challenge)

    def refuse(self, challenge: IdpAnswer) -> ConnProviderError:
        """Explain the 401 to our token; what it may say and what the clocks say."""
        said = self._read_refusal(challenge) or self._explain_refusal(challenge)
        return said.to_error(self._request.conn_id)

    def _explain_refusal(self, challenge: IdpAnswer) -> Explanation:
        who, spn = self._service.principal, self._service.spn
        skew = _find_skew_seconds(challenge)
        cause = (
            f"{show_origin(self._url)} answered 401 to the SPNEGO sign-in of {who}"
            f" (ticket for {spn})."
        )
        if abs(skew) > ALLOWED_SKEW_SECONDS:
            hint = f"Set the clock: this machine's is {skew:+.0f} s off the server's."
        elif not find_schemes(challenge):
            hint = "It offers no sign-in: perhaps the account is not admitted."
        else:
            hint = (
                f"Check with klist that the ticket is of the right realm, and that the"
                f" IdP's keytab has the current key of {spn}."
            )
        return Explanation(cause, hint)

    def judge(self, answer: IdpAnswer) -> None:
        """Hold the server to `mutual_authentication`."""
        mode = self._request.mutual_authentication
        if mode == "DISABLED" or answer.status_code >= HTTPStatus.BAD_REQUEST:
            return
        if answer.is_redirect and self._context is None:
            return  # nothing was asked and nothing is told: the next hop proves itself
        proof = _find_proof(answer)
        if (proof and self._is_proven(proof)) or (not proof and mode == "OPTIONAL"):
            return
        kind = "a proof that is not valid" if proof else "no proof"
        cause = (
            f"{show_origin(self._url)} gives {kind} of who it is, and"
            f" 'mutual_authentication' is {mode}."
        )
        hint = (
            "If this IdP never proves itself (some do not), set it to DISABLED and rely"
            " on TLS."
        )
        raise Explanation(cause, hint).to_error(self._request.conn_id)

    def _make_token(self, challenge: IdpAnswer | None) -> str:
        bindings = self._request.options.get("channel_bindings")
        try:
            auth = requests_gssapi.HTTPSPNEGOAuth(
                mutual_authentication=MUTUAL[self._request.mutual_authentication],
                target_name=self._service.name,
                creds=self._acquire(),
                channel_bindings=bindings,
            )
            host = self._service.host
            token = auth.generate_request_header(
                challenge, host, is_preemptive=not bindings
            )
        except GSSError as error:
            raise self._explain(error) from None
        except SPNEGOExchangeError as error:
            raise self._explain(error.__context__) from None
        self._context = auth.context[host]
        return str(token)

    def _acquire(self) -> gssapi.Credentials:
        """Return the credentials of the cache or the client keytab.

        Asked for by themselves, because only then the library tells causes of
        the cache and the keytab apart.
        """
        request = self._request
        credentials = acquire(request.environ, conn_id=request.conn_id)
        with contextlib.suppress(GSSError):  # an expired ticket
            principal = str(credentials.name)
            self._service = self._service._replace(principal=principal)
        return credentials

    def _explain(self, error: BaseException | None) -> IdpRequestError:
        if isinstance(error, GSSError):
            return explain_kerberos(error, self._service).to_error(
                self._request.conn_id
            )
        cause = f"The TLS channel to {show_origin(self._url)} could not be bound to."
        hint = "Set 'idp_auth_kwargs.channel_bindings' to null."
        return Explanation(cause, hint).to_error(self._request.conn_id)

    def _is_proven(self, proof: bytes) -> bool:
        if self._context is None:
            return False
        flag = gssapi.RequirementFlag.mutual_authentication
        try:
            self._context.step(proof)
            # Asking is what brings the error of step() out.
            is_proven = self._context.complete and flag in self._context.actual_flags
        except GSSError:
            return False
        return is_proven

    def _read_refusal(self, challenge: IdpAnswer) -> Explanation | None:
        """Return what Kerberos says of the server's own error token, if it sent one."""
        token = _find_proof(challenge)
        if not token or self._context is None:
            return None
        try:
            self._context.step(token)
            _ = self._context.complete
        except GSSError as error:
            return explain_kerberos(error, self._service)._replace(retryable=False)
        return None


def find_service(url: str, sign_in: SamlSignIn) -> Service:
    """Return the service of `url` that the connection asks a ticket for."""
    return choose_service(
        url, idp_url=sign_in.idp_url, target_name=sign_in.auth.get("target_name")
    )


def choose_service(url: str, *, idp_url: str, target_name: str | None) -> Service:
    """Return the service to ask a ticket for.

    The name of a load balancer is meant for the IdP's own host. A ticket for it
    shown to another host could be passed on by that host.
    """
    name, host = target_name or "HTTP", urlsplit(url).hostname or ""
    if "@" in name and _is_same_host(url, idp_url):
        return Service(name, host)
    return Service(f"{name.partition('@')[0]}@{host}", host)


def _is_same_host(url: str, other: str) -> bool:
    return urlsplit(url).hostname == urlsplit(other).hostname


def _find_proof(response: IdpAnswer) -> bytes | None:
    """Return the token of a Negotiate header; None without one, b"?" for junk."""
    match = _NEGOTIATE.search(response.headers.get("WWW-Authenticate", ""))
    if not match or not match.group(1):
        return None
    try:
        return base64.b64decode(match.group(1), validate=True)
    except binascii.Error:
        return b"?"


def _find_skew_seconds(response: IdpAnswer) -> float:
    """Return how far our clock is ahead of the server's, 0 if it does not say."""
    try:
        date = email.utils.parsedate_to_datetime(response.headers.get("Date", ""))
    except (TypeError, ValueError):
        return 0.0
    return time.time() - date.timestamp()
