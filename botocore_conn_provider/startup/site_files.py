"""Write and remove the two files in a site directory that arm its interpreters.

Up to Python 3.17, `site` executes a line in a `.pth` file. From 3.15 on, a `.start`
file names a callable, and `site` ignores the `.pth` file of the same name.

Source: Python's `site` module; PEP 829.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

NAME = "botocore_conn_provider"
# This is one line because site executes lines. If the package has been removed, the
# line does nothing; otherwise site would print a traceback at every start.
PTH_LINE = (
    "import sys; exec('try:\\n from botocore_conn_provider.startup.hook import arm\\n"
    "except Exception: pass\\nelse: arm()')\n"
)
START_LINE = "botocore_conn_provider.startup.hook:arm\n"
FILES = {f"{NAME}.pth": PTH_LINE, f"{NAME}.start": START_LINE}


def write_site_files(directory: Path) -> list[Path]:
    """Write both files, each atomically, and return those that changed.

    Raises:
        OSError: The directory cannot be written to.
    """
    return [
        directory / name
        for name, text in FILES.items()
        if _write(directory / name, text)
    ]


def remove_site_files(directory: Path) -> list[Path]:
    """Remove both files and return those that existed.

    Raises:
        OSError: One cannot be removed.
    """
    there = find_site_files(directory)
    for path in there:
        path.unlink()
    return there


def find_site_files(directory: Path) -> list[Path]:
    """Return which of our files exist in `directory`."""
    return [directory / name for name in FILES if (directory / name).exists()]


def _write(path: Path, text: str) -> bool:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if path.read_text(encoding="utf-8") == text:
            return False
    # Replaced atomically, so that an interpreter that starts now reads a whole line.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{NAME}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(0o644)  # all users of the interpreter must read it
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return True
