"""Find the Application Default Credentials: the first source that exists decides.

There is no falling through. A file that cannot be used is an error, because the
next source would be somebody else.

Source: Google AIP-4110, Application Default Credentials.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from botocore_conn_provider.errors import WebIdentityTokenError
from botocore_conn_provider.file_content import read_content
from botocore_conn_provider.redaction import shorten, show_system_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore_conn_provider.plugins import TokenRequest

T = TypeVar("T")

VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
METADATA = ("GCE_METADATA_", "NO_GCE_CHECK")
GCLOUD_FILE = "application_default_credentials.json"


class CredentialsFile(NamedTuple):
    """One credentials file that was read: not yet judged by kind.

    `place` names it for messages. `info` holds secrets: it has no repr of its own.
    """

    conn_id: str
    place: str
    info: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"CredentialsFile({self.place})"

    @property
    def kind(self) -> str:
        return str(self.info.get("type"))

    def refuse(
        self, seen: str, hint: str, *, retryable: bool = False
    ) -> WebIdentityTokenError:
        """Return the error that `place` has this wrong with it."""
        return WebIdentityTokenError(
            conn_id=self.conn_id,
            cause=f"{self.place} {seen}.",
            hint=hint,
            retryable=retryable,
        )

    def require(self, *names: str, within: str | None = None) -> None:
        """Refuse the file unless it has these texts, in the part `within`."""
        part = self.info if within is None else self.info.get(within)
        if not isinstance(part, dict):
            raise self.refuse(f"has no object '{within}'", CREATE_AGAIN)
        for name in names:
            if not isinstance(part.get(name), str) or not part[name]:
                path = name if within is None else f"{within}.{name}"
                raise self.refuse(f"has no '{path}'", CREATE_AGAIN)

    def build(self, make: Callable[..., T], *values: Any, **options: Any) -> T:
        """Call a maker of google-auth's, whose errors may show what is inside.

        The options are the maker's own.
        """
        from google.auth.exceptions import GoogleAuthError  # extra [google]

        try:
            return make(*values, **options)
        except (
            GoogleAuthError,
            ValueError,
            TypeError,
            LookupError,
            AttributeError,
        ) as error:
            seen = f"cannot be used by google-auth ({type(error).__name__})"
            raise self.refuse(seen, CREATE_AGAIN) from None


CREATE_AGAIN = "Create the file again with gcloud, or in Google's console."


def read_credentials(
    environ: Mapping[str, str], *, conn_id: str
) -> CredentialsFile | None:
    """Return the credentials file that decides, None where the metadata server does.

    Raises:
        WebIdentityTokenError: The file that decides is missing or no JSON object.
    """
    named = environ.get(VARIABLE)
    if named:
        return _read(Path(named), f"{VARIABLE} ('{shorten(named, 200)}')", conn_id)
    path = find_gcloud_file(environ)
    if not path.is_file():
        return None
    return _read(
        path, f"gcloud's credentials file ('{shorten(str(path), 200)}')", conn_id
    )


def identify(request: TokenRequest) -> dict[str, str]:
    """Describe by content whose Application Default Credentials these are.

    A source that runs a program, or asks AWS who it is, depends on every variable.
    """
    environ = request.environ
    path = environ.get(VARIABLE) or str(find_gcloud_file(environ))
    content = read_content(path)
    told = {"credentials file": path, "credentials": content}
    if not content:  # the metadata server decides, and these variables which
        return told | {n: v for n, v in environ.items() if n.startswith(METADATA)}
    with contextlib.suppress(ValueError, RecursionError, AttributeError, TypeError):
        info = json.loads(content)
        source = (info.get("source_credentials") or info).get("credential_source")
        if source is not None:
            if "file" in source:
                subject = locate_token(str(source["file"]), environ)
                told["subject file"] = subject
                told["subject token"] = read_content(subject)
            else:
                told |= environ
    return told


def locate_token(file: str, environ: Mapping[str, str]) -> str:
    """Return the path of a subject token, relative to where the session was created."""
    return os.path.join(environ.get("PWD", ""), file)  # noqa: PTH118 - any text


def find_gcloud_file(environ: Mapping[str, str]) -> Path:
    """Return where gcloud keeps the user's default credentials."""
    configured = environ.get("CLOUDSDK_CONFIG")
    if configured:
        return Path(configured) / GCLOUD_FILE
    if os.name == "nt":  # pragma: no cover - the tests run on POSIX
        return Path(environ.get("APPDATA", "C:\\")) / "gcloud" / GCLOUD_FILE
    home = environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 - no error
    return Path(home) / ".config" / "gcloud" / GCLOUD_FILE


def _read(path: Path, place: str, conn_id: str) -> CredentialsFile:
    file = CredentialsFile(conn_id, place, {})
    try:
        info = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise file.refuse("does not exist", f"Check {VARIABLE}.") from None
    except OSError as error:
        seen = f"cannot be read ({show_system_error(error)})"
        raise file.refuse(seen, "Check its permissions.") from None
    except (ValueError, RecursionError):
        raise file.refuse("is not JSON", CREATE_AGAIN) from None
    if not isinstance(info, dict):
        raise file.refuse("is JSON but not an object", CREATE_AGAIN)
    return file._replace(info=info)
