"""Read the identity token from a file that something else keeps fresh.

The file is read again at each exchange, because the kubelet, a sidecar or a job
replaces it. The name is judged early, the content only when it is needed:
a file that will exist in a minute is no reason to refuse the connection now.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from botocore_conn_provider.errors import (
    InvalidConnectionError,
    Problem,
    WebIdentityTokenError,
)
from botocore_conn_provider.federation.web_identity.claims import LONGEST_TOKEN
from botocore_conn_provider.file_content import read_content
from botocore_conn_provider.redaction import shorten, show_system_error
from botocore_conn_provider.secret import Secret

if TYPE_CHECKING:
    from botocore_conn_provider.plugins import TokenRequest

FIELD = "assume_role_with_web_identity_token_file"
VARIABLE = "AWS_WEB_IDENTITY_TOKEN_FILE"


def identify(request: TokenRequest) -> dict[str, str]:
    """Describe the file by its place and content; "" for one that is not there yet."""
    name = request.token_file or request.environ.get(VARIABLE) or ""
    return {"token file": name, "token": read_content(name)}


class TokenFile:
    """The token source `file`."""

    def __init__(self, request: TokenRequest) -> None:
        self._conn_id = request.conn_id
        self._name = request.token_file or request.environ.get(VARIABLE)

    def check(self) -> None:
        """Refuse a connection that names no file anywhere."""
        if not self._name:
            problem = Problem(
                FIELD,
                f"is missing and {VARIABLE} is not set",
                "Name the file that holds the token.",
            )
            raise InvalidConnectionError(conn_id=self._conn_id, problems=[problem])

    def fetch(self) -> Secret:
        """Read the file, without the newline at its end.

        Raises:
            WebIdentityTokenError: It is not there, not readable or not text.
        """
        path = Path(os.path.expanduser(self._name or ""))  # noqa: PTH111 - `~nobody`
        # stays as it is, where Path.expanduser raises RuntimeError
        try:
            with path.open("rb") as file:
                content = file.read(LONGEST_TOKEN + 3)  # room for a newline
            return Secret(content.decode().rstrip("\r\n"))
        except OSError as error:
            raise self._error(path, _say(error), retryable=True) from None
        except ValueError:  # not UTF-8, or a NUL in the name
            raise self._error(path, "does not hold text", retryable=False) from None

    def _error(
        self, path: Path, seen: str, *, retryable: bool
    ) -> WebIdentityTokenError:
        return WebIdentityTokenError(
            conn_id=self._conn_id,
            cause=f"the token file '{shorten(str(path), 200)}' {seen}.",
            hint=f"Check '{FIELD}', or {VARIABLE} where the connection names none.",
            retryable=retryable,
            local=True,
        )


def _say(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "does not exist"
    if isinstance(error, PermissionError):
        return "may not be read by this user"
    return f"cannot be read ({show_system_error(error)})"
