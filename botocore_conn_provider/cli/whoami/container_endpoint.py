"""A container-credentials endpoint that the environment names: whose, and its key."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore_conn_provider.cli.endpoint_in_place import is_loopback_endpoint
from botocore_conn_provider.endpoint.variables import (
    FULL_URI,
    RELATIVE_URI,
    TOKEN,
    TOKEN_FILE,
)

if TYPE_CHECKING:
    from botocore_conn_provider.connection.environment import Environ

TIMEOUT_SECONDS = 5
LARGEST_ANSWER = 1 << 16


def is_machine_endpoint(environ: Environ) -> bool:
    """Return whether the environment names ECS's endpoint, EKS's or another beyond us."""
    if environ.get(RELATIVE_URI):
        return True
    return bool(environ.get(FULL_URI)) and not is_loopback_endpoint(environ)


def ask_key_id(environ: Environ) -> str | None:
    """Return the key id that the endpoint on loopback hands out; None if it does not."""
    try:
        url = urlsplit(environ[FULL_URI])
        made = http.client.HTTPConnection(
            url.hostname or "", url.port or 80, timeout=TIMEOUT_SECONDS
        )
        try:
            made.request("GET", url.path or "/", headers=_find_token(environ))
            answer = json.loads(made.getresponse().read(LARGEST_ANSWER))
        finally:
            made.close()
        key_id = answer.get("AccessKeyId")
    except (OSError, http.client.HTTPException, ValueError, AttributeError):
        return None
    return key_id if isinstance(key_id, str) else None


def _find_token(environ: Environ) -> dict[str, str]:
    token = environ.get(TOKEN, "")
    if environ.get(TOKEN_FILE):
        token = Path(environ[TOKEN_FILE]).read_text(encoding="utf-8")
    return {"Authorization": token} if token else {}
