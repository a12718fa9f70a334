"""The endpoint on loopback that the environment names, where there is one.

`exec` gives one to the program that it starts, `serve` to those beside it.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore_conn_provider.endpoint.variables import FULL_URI

if TYPE_CHECKING:
    from botocore_conn_provider.connection.environment import Environ


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
