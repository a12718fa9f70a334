"""`activate`: have programs use the connection from their start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.cli.site_arguments import add_site_arguments, say_or_refuse
from botocore_conn_provider.startup.activation import activate, check
from botocore_conn_provider.startup.site_directory import choose_directory

if TYPE_CHECKING:
    import argparse

SUMMARY = "make programs use the connection from their start"
DESCRIPTION = """\
Write a .pth and a .start file into a site directory, so that every program of that
Python uses the connection, if one is in its environment. Says what it wrote.

With --check nothing is written: it says who else acts at start, and whether
activation works in a child interpreter."""
EPILOG = """\
examples:
  botocore-conn activate
  botocore-conn activate --user
  botocore-conn activate --check"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_site_arguments(parser).add_argument(
        "--check", action="store_true", help="only report whether it works"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the files, or only look; return the exit code."""
    if arguments.check:
        return say_or_refuse(check)
    return say_or_refuse(
        lambda: (
            True,
            activate(choose_directory(user=arguments.user, given=arguments.site)),
        )
    )
