"""Tell what is wrong on the way to a server: one classifier and one wording.

SAML, web identity, STS and doctor reach their servers through different libraries,
which wrap the same fault in different errors. So the whole chain of an error is
searched for what is known of botocore, urllib3, `http.client`, `ssl` and `socket`
(requests and aiohttp wrap those), and each kind is worded here once. What differs
between the roads are the fields to look at, which they hand in.

The texts of these errors hold whole URLs, query included, so none of them is shown
but those of the TLS library. Imported where something has failed.

Source: OpenSSL, X509_verify_cert_error_string(3), for the codes of certificates.
"""

from __future__ import annotations

import errno
import socket
import ssl
from http.client import HTTPException
from typing import TYPE_CHECKING, NamedTuple

from botocore import exceptions as botocore_errors
from urllib3 import exceptions as urllib3_errors

from botocore_conn_provider.redaction import show_label

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPIRED_CODES = (10,)
ISSUER_CODES = (2, 18, 19, 20, 21, 27)
NAME_CODES = (62, 64)
UNREACHABLE_NUMBERS = (
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.ENETDOWN,
    errno.EHOSTDOWN,
)
# Where urllib3 (two names) and aiohttp (two) keep the error below their own.
INNER_NAMES = ("reason", "original_error", "os_error", "certificate_error")
PROXY_SIGN_IN = "Tunnel connection failed: 407"
PROXY_REFUSAL = "Tunnel connection failed"

WORDS = {
    "tls_name": (
        "TLS: the certificate of {origin} is not accepted ({said}).",
        "Use the name that the certificate has in {address}.",
    ),
    "tls_issuer": (
        "TLS: the certificate of {origin} is not accepted ({said}).",
        "Its issuer is unknown here: name your CA's bundle in {verify}.",
    ),
    "tls_expired": (
        "TLS: the certificate of {origin} is not accepted ({said}).",
        "It has expired: have it renewed, or check the clock of this machine.",
    ),
    "tls_certificate": (
        "TLS: the certificate of {origin} is not accepted ({said}).",
        "Look at it with `openssl s_client -connect`, and check {verify}.",
    ),
    "tls": (
        "TLS: the connection to {origin} failed ({said}).",
        "Check that the port in {address} speaks TLS, and the versions both sides allow.",
    ),
    "proxy_sign_in": (
        "The proxy on the way to {origin} answered 407: it asks for a sign-in.",
        "Put its user name and password into the proxy's URL: see {proxies}.",
    ),
    "proxy": (
        "The proxy on the way to {origin} could not be used.",
        "Check {proxies} and NO_PROXY.",
    ),
    "dns": (
        "DNS: the name of {origin} cannot be resolved.",
        "Check the spelling of {address}, the resolver and the VPN.",
    ),
    "refused": (
        "{origin} refuses the connection.",
        "Check the host and port in {address} and whether the server there is running.",
    ),
    "connect_timeout": (
        "{origin} did not accept the connection within the timeout.",
        "Check the port in {address}, the firewall and whether a proxy is needed.",
    ),
    "read_timeout": (
        "{origin} did not answer within the timeout.",
        "Raise {timeout} if it is known to be slow.",
    ),
    "cut": (
        "{origin} broke off its answer or answered something that is not HTTP.",
        "Check {address}, and what is on the way: a proxy ({proxies}) or a firewall.",
    ),
    "unreachable": (
        "{origin} cannot be reached.",
        "Check {address}, the network, the VPN and the firewall.",
    ),
    "other": (
        "The exchange with {origin} failed ({said}).",
        "Check the network, {address} and {proxies}.",
    ),
}
LASTING = frozenset(
    {"tls_name", "tls_issuer", "tls_expired", "tls_certificate", "tls", "proxy_sign_in"}
)


class FaultFields(NamedTuple):
    """What a user can set on one road, named as the messages are to name it.

    Attributes:
        address: Where the server's address comes from.
        verify: Where a CA bundle is named.
        proxies: Where a proxy is named.
        timeout: What bounds the wait for an answer.
    """

    address: str
    verify: str
    proxies: str
    timeout: str


class NetworkFault(NamedTuple):
    """One fault: its kind (a key of `WORDS`), its cause and a next step.

    `is_transient` tells that the same attempt may succeed a little later.
    """

    kind: str
    cause: str
    hint: str
    is_transient: bool


def explain_fault(
    error: BaseException, origin: str, fields: FaultFields
) -> NetworkFault:
    """Return what kept us from `origin`, worded with the fields of this road.

    Args:
        error: What a library raised; its whole chain is searched.
        origin: Scheme and host of the server, or another name of it.
        fields: What there is to be set.
    """
    kind, said = classify(error)
    return _word(kind, said, origin=origin, fields=fields)


def explain_proxy_sign_in(origin: str, fields: FaultFields) -> NetworkFault:
    """Return the fault of a plain answer 407, which no library makes an error of."""
    return _word("proxy_sign_in", "", origin=origin, fields=fields)


def _word(kind: str, said: str, *, origin: str, fields: FaultFields) -> NetworkFault:
    cause, hint = WORDS[kind]
    return NetworkFault(
        kind,
        cause.format(origin=origin, said=said),
        hint.format(**fields._asdict()),
        kind not in LASTING,
    )


def find_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and all that it was raised from, whichever way a library keeps it."""
    seen: set[int] = set()
    open_ends: list[object] = [error]
    while open_ends:
        current = open_ends.pop()
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            open_ends += _list_inner(current)


def _list_inner(error: BaseException) -> list[object]:
    named = [getattr(error, name, None) for name in INNER_NAMES]
    kept = getattr(error, "kwargs", None)  # botocore's
    more = kept.values() if isinstance(kept, dict) else ()
    return [error.__cause__, error.__context__, *error.args, *named, *more]


def classify(error: BaseException) -> tuple[str, str]:
    """Return the kind of a fault, and what the TLS library says or the error's type."""
    chain = list(find_chain(error))
    proxied = _find_proxy_kind(chain)
    if proxied:
        return proxied, ""
    secured = _find_tls_kind(chain)
    if secured:
        return secured
    if any(isinstance(e, OSError) and e.errno in UNREACHABLE_NUMBERS for e in chain):
        return "unreachable", ""
    for kinds, kind in _KINDS:
        if any(isinstance(link, kinds) for link in chain):
            return kind, ""
    return "other", type(error).__name__


def _find_proxy_kind(chain: list[BaseException]) -> str | None:
    # What a proxy answered to CONNECT is to be had from `http.client`'s text only.
    texts = [str(link) for link in chain if isinstance(link, OSError)]
    if any(PROXY_SIGN_IN in text for text in texts):
        return "proxy_sign_in"
    if any(PROXY_REFUSAL in text for text in texts):
        return "proxy"
    return "proxy" if any(isinstance(link, _PROXY_ERRORS) for link in chain) else None


def _find_tls_kind(chain: list[BaseException]) -> tuple[str, str] | None:
    for kinds, read in _TLS_KINDS:
        for link in chain:
            if isinstance(link, kinds):
                return read(link)
            if _is_of_wrong_name(link):
                return "tls_name", "it is for another name"
    return None


def _read_certificate_error(error: BaseException) -> tuple[str, str]:
    code = getattr(error, "verify_code", 0)
    said = show_label(getattr(error, "verify_message", "certificate verify failed"))
    for kind, codes in _CERTIFICATE_KINDS:
        if code in codes:
            return kind, said
    return "tls_certificate", said


def _is_of_wrong_name(error: BaseException) -> bool:
    """Return whether urllib3 compared the names itself; the class moves in it."""
    return isinstance(error, ValueError) and type(error).__name__ == "CertificateError"


def _read_tls_error(error: BaseException) -> tuple[str, str]:
    reason = getattr(error, "reason", None)
    said = reason if isinstance(reason, str) else type(error).__name__
    return "tls", show_label(said)


_CERTIFICATE_KINDS = (
    ("tls_name", NAME_CODES),
    ("tls_issuer", ISSUER_CODES),
    ("tls_expired", EXPIRED_CODES),
)
_PROXY_ERRORS = (urllib3_errors.ProxyError, botocore_errors.ProxyConnectionError)
_TLS_KINDS = (
    (ssl.SSLCertVerificationError, _read_certificate_error),
    (ssl.SSLError, _read_tls_error),
    ((urllib3_errors.SSLError, botocore_errors.SSLError), _read_tls_error),
)
_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (socket.gaierror, "dns"),
    (ConnectionRefusedError, "refused"),
    # A kind of ConnectTimeoutError in urllib3, but of every other reason.
    (urllib3_errors.NewConnectionError, "unreachable"),
    (
        (urllib3_errors.ConnectTimeoutError, botocore_errors.ConnectTimeoutError),
        "connect_timeout",
    ),
    (
        (urllib3_errors.ReadTimeoutError, botocore_errors.ReadTimeoutError),
        "read_timeout",
    ),
    # One of the socket itself: it was not yet connected.
    (TimeoutError, "connect_timeout"),
    (
        (
            urllib3_errors.ProtocolError,
            HTTPException,
            ConnectionError,
            botocore_errors.ConnectionClosedError,
            botocore_errors.ResponseStreamingError,
        ),
        "cut",
    ),
    (botocore_errors.EndpointConnectionError, "unreachable"),
)
