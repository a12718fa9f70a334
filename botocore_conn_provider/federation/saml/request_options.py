"""Judge what the connection says about HTTP before anything is sent.

requests and urllib3 take many mistakes without a word and trip over them later,
in the middle of a login. Here the retry options are tried on made-up faults and
the request is built once, so that a mistake is an error of the connection.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError, ProtocolError
from urllib3.util import Retry

from botocore_conn_provider.errors import Problem
from botocore_conn_provider.redaction import show_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from botocore_conn_provider.connection.settings import SamlSignIn
    from botocore_conn_provider.secret import Options

FIELD = "assume_role_with_saml"
PAIR = 2  # connect and read time-out; certificate and key


class RequestOptions(NamedTuple):
    """`idp_request_kwargs`, sorted by who they are for.

    `content` (headers, cookies, params, a body) is the user's own and goes to
    the IdP's own host only; the rest is for every host on the way.
    """

    content: Mapping[str, Any]
    timeout: float | tuple[float | None, float | None] | None
    allow_redirects: bool
    proxies: Mapping[str, str]
    verify: bool | str | None
    cert: str | tuple[str, str] | None

    def __repr__(self) -> str:
        return "RequestOptions(…)"

    @classmethod
    def from_options(cls, options: Options) -> RequestOptions:
        """Sort options that `find_problems` has found nothing wrong with."""
        timeout, cert = options.get("timeout"), options.get("cert")
        return cls(
            content={name: options[name] for name in CONTENT if name in options},
            timeout=tuple(timeout) if isinstance(timeout, (list, tuple)) else timeout,
            allow_redirects=options.get("allow_redirects") is not False,
            proxies=dict(options.get("proxies") or {}),
            verify=options.get("verify"),
            cert=tuple(cert) if isinstance(cert, (list, tuple)) else cert,
        )


def _is_seconds(value: object) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value is None or (number and value > 0)  # type: ignore[operator]


def _is_timeout(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return len(value) == PAIR and all(map(_is_seconds, value))
    return _is_seconds(value)


def _is_texts(value: object) -> bool:
    return value is None or (
        isinstance(value, dict)
        and all(isinstance(text, str) for pair in value.items() for text in pair)
    )


def _is_file(value: object) -> bool:
    return isinstance(value, str) and Path(value).expanduser().exists()


def _is_verify(value: object) -> bool:
    return value is None or isinstance(value, bool) or _is_file(value)


def _is_cert(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return len(value) == PAIR and all(map(_is_file, value))
    return value is None or _is_file(value)


def _is_flag(value: object) -> bool:
    return value is None or isinstance(value, bool)


def _is_anything(_: object) -> bool:
    return True


CONTENT: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "headers": (_is_texts, "an object of texts"),
    "cookies": (_is_texts, "an object of texts"),
    "params": (_is_anything, ""),
    "data": (_is_anything, ""),
    "json": (_is_anything, ""),
}
TRANSPORT: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "timeout": (_is_timeout, "seconds above 0, or [connect, read]"),
    "allow_redirects": (_is_flag, "true or false"),
    "proxies": (_is_texts, "an object of texts"),
    "verify": (_is_verify, "true, false or the path of a CA bundle that is there"),
    "cert": (_is_cert, "the path of a PEM file that is there, or [cert, key]"),
    "stream": (_is_flag, "true or false"),  # accepted; an answer is always streamed
}


def find_problems(sign_in: SamlSignIn) -> Iterator[Problem]:
    """Yield what is wrong with the IdP's address and the HTTP options, offline."""
    yield from _judge_url(sign_in.idp_url)
    mistakes = list(_judge_names(sign_in.request))
    yield from mistakes or _judge_content(sign_in)
    yield from _judge_retry(sign_in.retry)


def _judge_url(url: str) -> Iterator[Problem]:
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        )
    except ValueError:
        usable = False
    if not usable:
        field, seen = f"{FIELD}.idp_url", "is not an http or https address"
        yield Problem(field, seen, "Give the whole address of the sign-in page.")
    elif parts.username or parts.password:
        field, seen = f"{FIELD}.idp_url", "has a name or password in it"
        yield Problem(field, seen, "Take them out: the sign-in method is who we are.")


def _judge_names(options: Options) -> Iterator[Problem]:
    known = {**CONTENT, **TRANSPORT}
    for name, value in options.items():
        field = f"{FIELD}.idp_request_kwargs.{name}"
        if name not in known:
            names = ", ".join(known)
            yield Problem(field, "cannot be set", f"What can be set: {names}.")
        elif not known[name][0](value):
            yield Problem(field, f"is not {known[name][1]}", "Correct it.")


def _judge_content(sign_in: SamlSignIn) -> Iterator[Problem]:
    content = {name: sign_in.request.get(name) for name in CONTENT}
    try:
        requests.Request("GET", sign_in.idp_url, **content).prepare()
    except (requests.RequestException, ValueError, TypeError) as error:
        # Its text holds values of headers; its class says which part it was.
        seen = f"make no request that HTTP allows ({type(error).__name__})"
        fix = "Check its headers, params and the address."
        yield Problem(f"{FIELD}.idp_request_kwargs", seen, fix)


def build_retry(options: Options) -> Retry:
    """Build urllib3's policy. Without options nothing is tried again."""
    return Retry(**options) if options else Retry(0, read=False, redirect=False)


def _judge_retry(options: Options) -> Iterator[Problem]:
    try:
        retry = build_retry(options)
        retry.is_retry("GET", 503, has_retry_after=True)
        for _ in range(2):
            retry = retry.increment("GET", "/", error=ProtocolError("made up"))
            retry.get_backoff_time()
    except HTTPError:
        pass  # used up, as it may be
    except (TypeError, ValueError, AttributeError) as error:
        seen = f"are refused by urllib3.Retry: {show_words(str(error), 200)}"
        fix = "Use the names and types of urllib3.util.Retry, e.g. allowed_methods."
        yield Problem(f"{FIELD}.idp_request_retry_kwargs", seen, fix)
