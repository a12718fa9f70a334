"""Name the code that reads credentials or sends a request: whose it is, and where.

A place is the nearest frame that is neither ours nor botocore's, and where that is a
library's also the nearest one of the program. Looking at frames is cheap; names and
versions are found once for each line of code.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import os
import sys
import sysconfig
from typing import TYPE_CHECKING

from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from types import CodeType, FrameType

OURS = "botocore_conn_provider"
# Those that sign and send for those who call them, and what runs their work elsewhere.
HOSTS = frozenset((OURS, "boto3", "botocore", "aiobotocore", "aioboto3", "s3transfer"))
CARRIERS = frozenset(
    ("asyncio", "concurrent", "contextlib", "functools", "threading", "uvloop")
)
PASSED_OVER = HOSTS | CARRIERS
INSTALLED = tuple(
    os.path.join(each, "")  # noqa: PTH118 - compared with co_filename
    for each in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
)
STANDARD = os.path.join(sysconfig.get_path("stdlib"), "")  # noqa: PTH118 - likewise
SITE_DIRECTORIES = ("site-packages", "dist-packages")

# A line of code, and the program's own line that led there.
Spot = tuple["CodeType", int, "CodeType | None", int]


class CodePlace(Value):
    """A line of code, for people.

    `library` is a distribution's name and version; empty for the program's own code.
    `called_from` is the program's own line that led to a library's.
    """

    file: str
    line: int
    function: str
    library: str = ""
    called_from: str = ""

    def describe(self) -> str:
        """Return it in a few words."""
        at = f"{self.file}:{self.line} ({self.function})"
        whose = f" of {self.library}" if self.library else ""
        caller = f", called from {self.called_from}" if self.called_from else ""
        return f"{at}{whose}{caller}"


def find_spot(frame: FrameType | None) -> Spot | None:
    """Return the line that stands behind this frame; None without any frame."""
    nearest: FrameType | None = None
    outermost = frame
    while frame is not None:
        root = _find_root(frame)
        if nearest is None and root not in PASSED_OVER:
            nearest = frame
        if nearest is not None and _is_programs(frame.f_code.co_filename, root):
            return _join(nearest, frame)
        if nearest is None and root in HOSTS:
            outermost = frame  # a thread of theirs: nobody else is on its stack
        frame = frame.f_back
    found = nearest or outermost
    return None if found is None else _join(found, None)


def _find_root(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__") or ""
    return name.partition(".")[0]


def _is_programs(file: str, root: str) -> bool:
    return root not in PASSED_OVER and is_own_file(file)


@functools.lru_cache(maxsize=4096)
def is_own_file(file: str) -> bool:
    """Return whether a file is neither installed nor of Python itself."""
    if file.startswith("<frozen") or file.startswith(INSTALLED):
        return False
    if any(f"{os.sep}{each}{os.sep}" in file for each in SITE_DIRECTORIES):
        return False
    return not file.startswith(STANDARD)


def _join(nearest: FrameType, program: FrameType | None) -> Spot:
    if program is None or program is nearest:
        return nearest.f_code, nearest.f_lineno, None, 0
    return nearest.f_code, nearest.f_lineno, program.f_code, program.f_lineno


@functools.lru_cache(maxsize=4096)
def name_spot(spot: Spot) -> CodePlace:
    """Return the place of a spot."""
    code, line, program, program_line = spot
    called_from = ""
    if program is not None:
        called_from = f"{shorten_file(program.co_filename)}:{program_line}"
    return CodePlace(
        shorten_file(code.co_filename),
        line,
        getattr(code, "co_qualname", code.co_name),  # Python 3.11's
        find_library(code.co_filename),
        called_from,
    )


def shorten_file(file: str) -> str:
    """Return a path from its site directory or the working directory on."""
    for each in SITE_DIRECTORIES:
        before, found, after = file.rpartition(f"{os.sep}{each}{os.sep}")
        if found and before:
            return after
    here = os.path.join(_find_directory(), "")  # noqa: PTH118
    return file.removeprefix(here).removeprefix(STANDARD)


def _find_directory() -> str:
    try:
        return os.getcwd()  # noqa: PTH109
    except OSError:  # it was removed
        return os.sep


def find_library(file: str) -> str:
    """Return the name and version of the distribution that a file belongs to."""
    if is_own_file(file):
        return ""
    if file.startswith(STANDARD) and not any(each in file for each in SITE_DIRECTORIES):
        return f"Python {sys.version_info[0]}.{sys.version_info[1]}"
    root = shorten_file(file).partition(os.sep)[0].removesuffix(".py")
    name = _find_distribution(root)
    return name or root


@functools.lru_cache(maxsize=256)
def _find_distribution(root: str) -> str:
    for name in (root, root.replace("_", "-")):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError, ValueError):
            return _name_distribution(name)
    # All that is installed is looked at, so only for names that say nothing.
    for name in importlib.metadata.packages_distributions().get(root, ()):
        return _name_distribution(name)
    return ""


def _name_distribution(name: str) -> str:
    found = importlib.metadata.distribution(name)
    return f"{found.metadata['Name']} {found.version}"
