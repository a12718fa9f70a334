"""`deactivate`: undo `activate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.cli.site_arguments import add_site_arguments, say_or_refuse
from botocore_conn_provider.startup.activation import deactivate
from botocore_conn_provider.startup.site_directory import choose_directory

if TYPE_CHECKING:
    import argparse

SUMMARY = "undo activate"
DESCRIPTION = "Remove the files that `activate` wrote. Says what it removed."
EPILOG = """\
examples:
  botocore-conn deactivate
  botocore-conn deactivate --user"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_site_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Remove the files; return the exit code."""
    return say_or_refuse(
        lambda: (
            True,
            deactivate(choose_directory(user=arguments.user, given=arguments.site)),
        )
    )
