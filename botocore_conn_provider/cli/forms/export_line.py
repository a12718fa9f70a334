"""Read and write the shell's line that sets a connection.

export AIRFLOW_CONN_AWS_DEFAULT='aws://…'
"""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple

PREFIX = "AIRFLOW_CONN_"
_LINE = re.compile(r"\s*(?:export\s+)?AIRFLOW_CONN_\w+=")


class ExportLine(NamedTuple):
    """What the line sets. `text` is secret, and the repr does not show it."""

    conn_id: str
    text: str

    def __repr__(self) -> str:
        return f"ExportLine({self.conn_id!r})"


def find_export_line(text: str) -> ExportLine | None:
    """Return what the line sets; None for a text of another form.

    The id is in lower case: the variable's name does not tell another.
    """
    if not _LINE.match(text):
        return None
    try:
        words = shlex.split(text)
    except ValueError:  # a quote that does not end
        return None
    name, _, value = words[words[0] == "export"].partition("=")
    return ExportLine(name.removeprefix(PREFIX).lower(), value)


def write_export_line(variable: str, text: str) -> str:
    """Return the line, quoted for every POSIX shell."""
    return f"export {variable}={shlex.quote(text)}"
