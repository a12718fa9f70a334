"""Name our environment variables, and find a connection in them.

The one place that touches `os.environ`. Everything else is given a mapping, so that
tests and live sessions read the environment that they were given.

Source: docs/specification.md, sections 1.1 and 6.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from botocore_conn_provider.redaction import CONN_ID, WRONG_CONN_ID
from botocore_conn_provider.secret import Options, Secret
from botocore_conn_provider.value import Value

Environ = Mapping[str, str]
# For each variable the value that it was given, and the one before; None for absent.
Changes = Mapping[str, "tuple[str | None, str | None]"]

DEFAULT_CONN_ID = "aws_default"
CONN_ID_VARIABLE = "BOTOCORE_CONN_ID"
DISABLE_VARIABLE = "BOTOCORE_CONN_DISABLE"
# Whether other engines are reached, too. A word that nobody knows is a yes, because to be
# refused is better than to be the machine.
ENGINES_VARIABLE = "BOTOCORE_CONN_ENGINES"
# How long credentials live in a rehearsal, and where its processes write their notes.
REHEARSE_VARIABLE = "BOTOCORE_CONN_REHEARSE_SECONDS"
REHEARSE_PLACE_VARIABLE = "BOTOCORE_CONN_REHEARSE_DIRECTORY"
NO_WORDS = ("", "0", "off", "false", "no")
SETTING_PREFIX = "BOTOCORE_CONN_"
# Notes what was changed for other engines: see `process_changes`.
CHANGES_VARIABLE = "BOTOCORE_CONN_CHANGED_ENVIRONMENT"
# Variables that contain paths, and that are read by code which is given a mapping.
PATH_VARIABLES = (
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CREDENTIAL_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "BOTO_CONFIG",
    "CLOUDSDK_CONFIG",
    "GOOGLE_APPLICATION_CREDENTIALS",
)
# Those of Kerberos that name a cache or keytab, and the kinds of them that are files.
KERBEROS_VARIABLES = ("KRB5CCNAME", "KRB5_CLIENT_KTNAME")
KERBEROS_FILES = ("", "FILE", "WRFILE", "DIR")
# `$NAME` or `${NAME}` in a path.
VARIABLE_IN_PATH = r"(?a)\$(?:(\w+)|\{([^}]*)\})"


class ConnectionName(Value):
    """Which connection is meant, and whether it must exist.

    `named_by` says what named it ("the program", or a variable); None for the default
    connection, which may be absent.
    """

    conn_id: str
    named_by: str | None = None

    @property
    def variable(self) -> str:
        """The environment variable that holds it."""
        return f"AIRFLOW_CONN_{self.conn_id.upper()}"

    @property
    def is_wrong(self) -> bool:
        """Whether the text that was given is no id."""
        return self.conn_id == WRONG_CONN_ID


class Snapshot(Value):
    """The environment and working directory of one moment.

    A session's identity is resolved from it and from nothing else, so what changes in
    the process later is for the sessions made later. Its repr shows no value.
    """

    environ: Environ
    directory: str

    @classmethod
    def take(cls) -> Snapshot:
        """Copy the live environment of this process, without our own changes to it."""
        try:
            directory = os.getcwd()  # noqa: PTH109 - costs less than a Path
        except OSError:  # it has been deleted, so no relative path exists
            directory = os.devnull
        environ = copy_environment()
        noted = environ.pop(CHANGES_VARIABLE, None)
        if noted is not None:
            environ = restore(environ, noted)
        return cls(Options(environ), directory)

    @property
    def home(self) -> str:
        """The home directory, as `os.path.expanduser` would have found it then."""
        home = self.environ.get("HOME")
        if home is None:
            home = os.path.expanduser(f"~{_find_user()}")  # noqa: PTH111
        return str(Path(self.directory, home or "/"))

    def locate(self, path: str) -> str:
        """Return the absolute path, with `~` and `$VARIABLE` as they were then."""
        expanded = re.sub(VARIABLE_IN_PATH, self._expand, path) if "$" in path else path
        if expanded == "~" or expanded.startswith("~/"):
            expanded = self.home.rstrip("/") + expanded[1:] or "/"
        elif expanded.startswith("~"):  # another user's home: no variable decides
            expanded = os.path.expanduser(expanded)  # noqa: PTH111
        return _keep_from_expansion(str(Path(self.directory, expanded)))

    def settle(self) -> Environ:
        """Return the environment with absolute paths, and HOME and PWD always set.

        Code that reads it later finds the same files, even if the process has changed
        its working directory.
        """
        settled = {**self.environ, "HOME": self.home, "PWD": self.directory}
        for name in PATH_VARIABLES:
            if settled.get(name):
                settled[name] = self.locate(settled[name])
        for name in KERBEROS_VARIABLES:
            if settled.get(name):
                settled[name] = self._locate_kerberos(settled[name])
        return Options(settled)

    def _locate_kerberos(self, name: str) -> str:
        """Return a ticket cache's or keytab's name with an absolute path, if it has one.

        Kerberos replaces neither `~` nor variables in these.
        """
        kind, colon, path = name.rpartition(":")
        if kind not in KERBEROS_FILES:
            return name
        return f"{kind}{colon}{Path(self.directory, path)}"

    def _expand(self, found: re.Match[str]) -> str:
        return self.environ.get(found[1] or found[2], found[0])

    def __repr__(self) -> str:
        return f"Snapshot({len(self.environ)} variables)"


def _keep_from_expansion(path: str) -> str:
    """Return a path in which nobody finds a variable to replace.

    What was no variable in the snapshot may be one when botocore, which replaces
    variables at each reading, comes to it. There is no way to quote the sign; so a file
    that is not there by this very name stays one that is not there.
    """
    if (
        "$" not in path
        or re.search(VARIABLE_IN_PATH, path) is None
        or os.path.lexists(path)
    ):
        return path
    return path.replace("$", "$/")


def copy_environment() -> dict[str, str]:
    """Copy the environment while other threads may change it.

    To copy it looks at the names first and then at each value: one that another thread
    removes in between is a KeyError.
    """
    while True:
        with contextlib.suppress(KeyError, RuntimeError):
            return dict(os.environ)


def _find_user() -> str:
    """Return this user's name, or an empty text if the system does not list it."""
    try:
        # Imported here because Windows has no pwd, and only if HOME is not set.
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return ""


def current_environment() -> Environ:
    """Return the live environment of this process."""
    return os.environ


def is_disabled(environ: Environ) -> bool:
    """Return whether `BOTOCORE_CONN_DISABLE` is set to anything but empty or 0."""
    return environ.get(DISABLE_VARIABLE, "") not in ("", "0")


def is_yes(said: str) -> bool:
    """Return whether the value of `ENGINES_VARIABLE` switches engines on."""
    return said.strip().lower() not in NO_WORDS


def name_connection(environ: Environ, conn_id: str | None = None) -> ConnectionName:
    """Return the name: from the argument, else the variable, else the default."""
    if conn_id is not None:
        return ConnectionName(hide_wrong_id(conn_id), "the program")
    named = environ.get(CONN_ID_VARIABLE, "").strip()
    if named:
        return ConnectionName(hide_wrong_id(named), CONN_ID_VARIABLE)
    return ConnectionName(DEFAULT_CONN_ID)


def is_conn_id(text: str) -> bool:
    """Return whether `text` can be a connection's id."""
    return re.fullmatch(CONN_ID, text) is not None


def hide_wrong_id(text: str) -> str:
    """Return `text` if it can be an id, else `WRONG_CONN_ID`."""
    return text if is_conn_id(text) else WRONG_CONN_ID


def find_text(environ: Environ, name: ConnectionName) -> Secret | None:
    """Return the connection's text, None if its variable is unset or blank."""
    text = "" if name.is_wrong else environ.get(name.variable, "")
    return Secret(text) if text.strip() else None


def find_former() -> Environ | None:
    """Return the environment before our changes to it; None where there are none."""
    return Snapshot.take().environ if CHANGES_VARIABLE in os.environ else None


def restore(environ: dict[str, str], noted: str) -> dict[str, str]:
    """Undo noted changes in place, and return the environment.

    What somebody changed again since is left as it is.
    """
    for name, (given, before) in _parse_changes(noted).items():
        if environ.get(name) != given:
            continue
        if before is None:
            del environ[name]
        else:
            environ[name] = before
    return environ


def _parse_changes(noted: str) -> dict[str, tuple[str | None, str | None]]:
    """Return the changes; none where the text is not ours."""
    # Imported here: few processes reach other engines.
    import json

    try:
        changes = json.loads(noted)
        return {str(name): (given, before) for name, (given, before) in changes.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def put(name: str, value: str | None) -> None:
    """Set a variable of this process, which the processes it starts inherit.

    None takes it away.
    """
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
