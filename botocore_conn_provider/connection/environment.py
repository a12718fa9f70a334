"""Name the environment variables of ours, and find a connection in them.

The one place that touches `os.environ`. Everything else is given a mapping, so
that tests, and sessions that keep what they have, read what they were given.

Source: docs/specification.md, sections 1.1 and 6.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

Environ = Mapping[str, str]

DEFAULT_CONN_ID = "aws_default"
CONN_ID_VARIABLE = "BOTOCORE_CONN_ID"
DISABLE_VARIABLE = "BOTOCORE_CONN_DISABLE"
SETTING_PREFIX = "BOTOCORE_CONN_"


class ConnectionName(NamedTuple):
    """Which connection is meant, and whether it must exist.

    `named_by` says who named it ("install()", a variable); None for the default
    one, which may be absent.
    """

    conn_id: str
    named_by: str | None = None

    @property
    def variable(self) -> str:
        """The environment variable that holds it."""
        return f"AIRFLOW_CONN_{self.conn_id.upper()}"


def current_environment() -> Environ:
    """Return the live environment of this process."""
    return os.environ


def is_disabled(environ: Environ) -> bool:
    """Tell whether `BOTOCORE_CONN_DISABLE` is set to anything but empty or 0."""
    return environ.get(DISABLE_VARIABLE, "") not in ("", "0")


def name_connection(environ: Environ, conn_id: str | None = None) -> ConnectionName:
    """Return the connection meant: the argument, else the variable, else default."""
    if conn_id is not None:
        return ConnectionName(conn_id, "the program")
    named = environ.get(CONN_ID_VARIABLE, "").strip()
    if named:
        return ConnectionName(named, CONN_ID_VARIABLE)
    return ConnectionName(DEFAULT_CONN_ID)


def find_text(environ: Environ, name: ConnectionName) -> str | None:
    """Return the connection's text, None if its variable is unset or blank."""
    text = environ.get(name.variable, "")
    return text if text.strip() else None


def set_for_children(name: str, value: str) -> None:
    """Set a variable of this process, which the processes it starts inherit."""
    os.environ[name] = value
