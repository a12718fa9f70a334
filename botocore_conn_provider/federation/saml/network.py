"""Explain why an IdP could not be reached, without showing what was sent.

The texts of requests and urllib3 hold the whole URL, query included, so only
the kinds of the errors below theirs are used, and the few texts that are known
to be harmless (those of the TLS library).
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from urllib3 import exceptions as urllib3_errors

from botocore_conn_provider.federation.saml.explanation import Explanation

if TYPE_CHECKING:
    from collections.abc import Iterator

# Source: OpenSSL, X509_verify_cert_error_string(3).
EXPIRED = 10
UNKNOWN_ISSUER = (2, 18, 19, 20, 21, 27)
WRONG_NAME = (62, 64)


def find_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and all that it was raised from, the urllib3 way included."""
    seen: set[int] = set()
    open_ends: list[object] = [error]
    while open_ends:
        current = open_ends.pop()
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            open_ends += [current.__cause__, current.__context__, *current.args]
            open_ends.append(getattr(current, "reason", None))
            open_ends.append(getattr(current, "original_error", None))


def find_reason(error: BaseException) -> Exception:
    """Return the error of urllib3 that its Retry can judge."""
    for link in find_chain(error):
        if isinstance(link, urllib3_errors.MaxRetryError):
            continue
        if isinstance(link, urllib3_errors.HTTPError):
            return link
    return urllib3_errors.ProtocolError(type(error).__name__)


def explain_network_error(error: BaseException, origin: str) -> Explanation:
    """Tell DNS, TLS, proxy, refusal, time-out and a broken answer apart."""
    chain = list(find_chain(error))
    for kind, explain in _KINDS:
        for link in chain:
            if isinstance(link, kind):
                return explain(link, origin)
    cause = f"The exchange with {origin} failed ({type(error).__name__})."
    return Explanation(cause, "Check the network between here and the IdP.", True)


def _explain_certificate(error: BaseException, origin: str) -> Explanation:
    code = getattr(error, "verify_code", 0)
    said = getattr(error, "verify_message", "certificate verify failed")
    cause = f"TLS: the certificate of {origin} is not accepted ({said})."
    if code in WRONG_NAME:
        hint = "Use the name that the certificate has in 'idp_url'."
    elif code in UNKNOWN_ISSUER:
        hint = (
            "Its issuer is unknown here: name your CA's bundle in"
            " 'idp_request_kwargs.verify'."
        )
    elif code == EXPIRED:
        hint = "It has expired: have it renewed, or check the clock of this machine."
    else:
        hint = "Look at it with `openssl s_client -connect`."
    return Explanation(cause, hint)


def _explain_tls(error: BaseException, origin: str) -> Explanation:
    reason = getattr(error, "reason", None)
    said = f" ({reason})" if isinstance(reason, str) else ""
    cause = f"TLS: no secure connection to {origin} came about{said}."
    hint = "Check that the port speaks TLS, and the versions both sides allow."
    return Explanation(cause, hint)


def _explain_proxy(error: BaseException, origin: str) -> Explanation:
    below = " ".join(str(link) for link in find_chain(error))
    if "failed: 407" in below:
        cause = f"The proxy on the way to {origin} answered 407: it asks for a sign-in."
        return Explanation(cause, "Put its name and password into the proxy's URL.")
    cause = f"The proxy on the way to {origin} could not be used."
    hint = "Check 'idp_request_kwargs.proxies', HTTPS_PROXY and NO_PROXY."
    return Explanation(cause, hint, True)


def _explain_dns(_: BaseException, origin: str) -> Explanation:
    cause = f"DNS: the name of {origin} cannot be resolved."
    hint = "Check the spelling of 'idp_url', the resolver and the VPN."
    return Explanation(cause, hint, True)


def _explain_connect(_: BaseException, origin: str) -> Explanation:
    cause = f"{origin} does not take the connection within the time allowed."
    hint = "Check the port, the firewall and whether a proxy is needed."
    return Explanation(cause, hint, True)


def _explain_refused(_: BaseException, origin: str) -> Explanation:
    cause = f"{origin} refuses the connection."
    hint = "Check the port in 'idp_url' and whether the IdP runs."
    return Explanation(cause, hint, True)


def _explain_silence(_: BaseException, origin: str) -> Explanation:
    cause = f"{origin} did not answer within the time-out."
    hint = "Raise 'idp_request_kwargs.timeout' if it is known to be slow."
    return Explanation(cause, hint, True)


def _explain_broken(_: BaseException, origin: str) -> Explanation:
    cause = f"{origin} broke off its answer or answered something that is not HTTP."
    hint = "Check that 'idp_url' is the IdP's and not that of another service."
    return Explanation(cause, hint, True)


_KINDS = (
    (ssl.SSLCertVerificationError, _explain_certificate),
    (urllib3_errors.ProxyError, _explain_proxy),
    (ssl.SSLError, _explain_tls),
    (socket.gaierror, _explain_dns),
    (ConnectionRefusedError, _explain_refused),
    (urllib3_errors.ConnectTimeoutError, _explain_connect),
    (urllib3_errors.ReadTimeoutError, _explain_silence),
    (urllib3_errors.ProtocolError, _explain_broken),
)
