"""What `activate` and `deactivate` share: which site directory, and what they say."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.cli import exit_codes as exits
from botocore_conn_provider.startup.site_directory import ActivationError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable


def add_site_arguments(parser: argparse.ArgumentParser) -> Any:
    """Declare which directory is meant; return the group, one of which is given."""
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--user", action="store_true", help="the user's site")
    place.add_argument("--site", type=Path, help="this site directory")
    return place


def say_or_refuse(work: Callable[[], tuple[bool, list[str]]]) -> int:
    """Write the lines that `work` returns, or why it cannot; return the exit code.

    `work` returns whether all is well, and what to say.
    """
    try:
        is_well, lines = work()
    except ActivationError as error:
        sys.stderr.write(f"{error}\n")
        return exits.FAILED
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0 if is_well else exits.FAILED
