"""What `exec` or `serve` gave this environment: an endpoint on loopback, or keys."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore_conn_provider.connection.environment import CHANGES_VARIABLE
from botocore_conn_provider.endpoint.variables import FULL_URI

if TYPE_CHECKING:
    from botocore_conn_provider.connection.environment import Environ


def is_handed_on(live: Environ) -> bool:
    """Return whether engines of this environment were given a connection.

    Keys that no endpoint can hand out stand in variables, and a note of that beside.
    """
    return CHANGES_VARIABLE in live or is_loopback_endpoint(live)


def is_loopback_endpoint(environ: Environ) -> bool:
    """Return whether the environment names an endpoint on loopback."""
    return find_loopback_host(environ) is not None


def find_loopback_host(environ: Environ) -> str | None:
    """Return its host as it is written; None where there is none."""
    try:
        host = urlsplit(environ.get(FULL_URI, "")).hostname or ""
        if host == "localhost" or ipaddress.ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    return None
