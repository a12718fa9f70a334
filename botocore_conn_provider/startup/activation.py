"""The commands `activate` and `deactivate`: their work and their output."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from botocore_conn_provider.redaction import show_system_error
from botocore_conn_provider.startup.child_interpreter import ask_child
from botocore_conn_provider.startup.hook import is_wanted
from botocore_conn_provider.startup.site_directory import (
    ActivationError,
    list_directories,
    require_writable,
)
from botocore_conn_provider.startup.site_files import (
    find_site_files,
    remove_site_files,
    write_site_files,
)

if TYPE_CHECKING:
    from pathlib import Path

    from botocore_conn_provider.startup.child_interpreter import ChildReport

FROM_NOW_ON = (
    "Programs that start on this interpreter from now on use the connection in their"
    " environment. Undo it with `deactivate`."
)


def activate(directory: Path) -> list[str]:
    """Write the files; return lines that say what was done.

    Raises:
        ActivationError: They cannot be written.
    """
    require_writable(directory)
    try:
        written = write_site_files(directory)
    except OSError as error:
        raise ActivationError(f"{directory}: {show_system_error(error)}.") from error
    if not written:
        return [f"Already active: {directory}"]
    return [*(f"Wrote {path}" for path in written), FROM_NOW_ON]


def deactivate(directory: Path) -> list[str]:
    """Remove the files; return lines that say what was done.

    Raises:
        ActivationError: They cannot be removed.
    """
    try:
        removed = remove_site_files(directory)
    except OSError as error:
        raise ActivationError(f"{directory}: {show_system_error(error)}.") from error
    if not removed:
        return [f"Nothing to remove in {directory}"]
    return [f"Removed {path}" for path in removed]


def check() -> tuple[bool, list[str]]:
    """Try activation in a child interpreter; return whether it works, and a report.

    Raises:
        ActivationError: The child interpreter failed.
    """
    try:
        findings = ask_child()
    except (OSError, subprocess.SubprocessError) as error:
        raise ActivationError(
            f"The child interpreter failed: {type(error).__name__}."
        ) from error
    return findings.armed, _describe(findings)


def _describe(findings: ChildReport) -> list[str]:
    files = [path for one in list_directories() for path in find_site_files(one)]
    lines = [f"Active through {path}" for path in files]
    lines.append(f"sitecustomize: {findings.sitecustomize or 'there is none'}")
    lines.append(f"usercustomize: {findings.usercustomize or 'there is none'}")
    if findings.armed:
        lines.append("A child interpreter is active if it has a connection.")
    else:
        lines.append(
            "A child interpreter is NOT active. Run `activate`, or put the autoload"
            " directory first on PYTHONPATH."
        )
    if not is_wanted():
        lines.append(
            "In this environment activation is off: there is no connection"
            " (AIRFLOW_CONN_AWS_DEFAULT, BOTOCORE_CONN_ID), or BOTOCORE_CONN_DISABLE"
            " is set."
        )
    return lines
