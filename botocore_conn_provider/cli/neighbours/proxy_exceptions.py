"""A proxy that would be sent what is meant for this machine alone.

Two things go wrong without an exception. An engine sends the token of the endpoint on
loopback to the proxy; botocore asks the proxy for the machine's role, and may be given
that of the proxy's own machine.

Nothing of a proxy's URL is shown: it may hold a password in any spelling.

Source: measured with obstore 0.12, polars 2.1, deltalake 1.6, lance 14 and daft 0.7,
which go by HTTP_PROXY and ALL_PROXY and know ranges of addresses (pyarrow and awscrt
ask no proxy for credentials, none goes by HTTPS_PROXY); botocore.utils for the other.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore_conn_provider.cli.endpoint_in_place import find_loopback_host
from botocore_conn_provider.cli.neighbours.neighbour import PROXY, Neighbour
from botocore_conn_provider.endpoint.variables import (
    EVERY_HOST,
    FULL_URI,
    NO_PROXY,
    NOT_BY_PROXY,
    PROXIES,
)
from botocore_conn_provider.redaction import shorten, show_origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.connection.environment import Environ

PLAIN = "http:"  # as the endpoint and the metadata service speak


def find_endpoint_by_proxy(environ: Environ) -> Iterator[Neighbour]:
    """Yield a finding if engines would ask a proxy for the endpoint on loopback.

    `exec`, `serve` and engines=True name the exception in what they give. It is missing
    where their variables were copied by hand, or NO_PROXY was set again.
    """
    proxies = [name for name in PROXIES if environ.get(name)]
    host = find_loopback_host(environ)
    if not proxies or host is None or not environ[FULL_URI].startswith(PLAIN):
        return
    name = next((name for name in NO_PROXY if name in environ), NO_PROXY[0])
    exceptions = environ.get(name, "")
    if covers(exceptions, host):
        return
    added = ",".join(dict.fromkeys([host, *NOT_BY_PROXY]))
    fix = f"Add {added} to {' and '.join(NO_PROXY)}."
    if exceptions.strip() == EVERY_HOST:
        fix = f"Unset {', '.join(proxies)}: engines take {EVERY_HOST} for names only."
    yield Neighbour(
        PROXY,
        proxies[0],
        f"{proxies[0]} is set, and {name} has no {host}: engines such as polars, obstore"
        f" and daft send the proxy the token of the endpoint that {FULL_URI} names.",
        fix,
    )


def find_metadata_by_proxy(environ: Environ, url: str) -> Iterator[Neighbour]:
    """Yield a finding if botocore would ask a proxy for the machine's role.

    Args:
        environ: The live one, which botocore goes by.
        url: Of the metadata service, which the connection starts from.
    """
    proxies = read_as_urllib(environ)
    address, host = read_address(url)
    name, proxy = proxies.get("http_proxy", ("", ""))
    no_name, exceptions = proxies.get("no_proxy", (NO_PROXY[0], ""))
    if not proxy or not host or not url.startswith(PLAIN):
        return
    if is_bypassed(exceptions, address):
        return
    yield Neighbour(
        PROXY,
        name,
        f"{name} is set, and {no_name} has no {host}: botocore asks the proxy for the"
        f" role of this machine, which the connection starts from ({show_origin(url)}),"
        " and may get none, or that of the proxy's machine.",
        f"Add {host} to {' and '.join(NO_PROXY)}, by itself: botocore knows no ranges"
        " there.",
    )


def read_as_urllib(environ: Environ) -> dict[str, tuple[str, str]]:
    """Return the variables of proxies by their name in lower case, as urllib reads them.

    Any spelling counts; the one in lower case decides, also if it is empty.
    """
    named = {
        name: (name, value)
        for name, value in environ.items()
        if name.lower().endswith("_proxy")
    }
    read = {name.lower(): each for name, each in named.items() if each[1]}
    return read | {name: each for name, each in named.items() if name == name.lower()}


def covers(exceptions: str, host: str) -> bool:
    """Return whether an engine asks `host` without the proxy.

    For an address it knows that and ranges, and no pattern: not even `*`.
    """
    return any(_is_same(each.strip(), host) for each in exceptions.split(","))


def _is_same(exception: str, host: str) -> bool:
    if exception.lower() == host:
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(
            exception, strict=False
        )
    except ValueError:  # the host is a name, for which `*` counts
        return exception == EVERY_HOST and host == "localhost"


def is_bypassed(exceptions: str, address: str) -> bool:
    """Return whether urllib asks an address without the proxy.

    It compares names, and the ends of names, with and without the port.
    """
    if exceptions == EVERY_HOST:
        return True
    known = (address.lower(), read_address(f"//{address}")[1])
    ends = [each.strip().lstrip(".").lower() for each in exceptions.split(",")]
    return any(
        name == end or name.endswith(f".{end}") for name in known for end in ends if end
    )


def read_address(url: str) -> tuple[str, str]:
    """Return the address in a URL and its host; empty where it has none.

    An address of version 6 is in brackets, without which urllib does not know it.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "", ""
    return parts.netloc, shorten(f"[{host}]" if ":" in host else host)
