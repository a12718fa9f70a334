"""The command line of activation. argparse only, so that it needs no extra."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from botocore_conn_provider.startup.activation import activate, check, deactivate
from botocore_conn_provider.startup.site_directory import (
    ActivationError,
    choose_directory,
)

REFUSED = 1


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `activate` and `deactivate`; each sets `run`, called with the arguments."""
    for name, help_text, run in (
        ("activate", "make programs use the connection from their start", _activate),
        ("deactivate", "undo activate", _deactivate),
    ):
        command = commands.add_parser(name, help=help_text, description=help_text)
        place = command.add_mutually_exclusive_group()
        place.add_argument("--user", action="store_true", help="the user's site")
        place.add_argument("--site", type=Path, help="this site directory")
        if run is _activate:
            place.add_argument(
                "--check", action="store_true", help="only say whether it works"
            )
        command.set_defaults(run=run)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m botocore_conn_provider")
    add_commands(parser.add_subparsers(required=True, metavar="COMMAND"))
    parsed = parser.parse_args(arguments)
    status: int = parsed.run(parsed)
    return status


def _activate(parsed: argparse.Namespace) -> int:
    try:
        if parsed.check:
            works, lines = check()
            return _say(lines, status=0 if works else REFUSED)
        return _say(activate(choose_directory(user=parsed.user, given=parsed.site)))
    except ActivationError as error:
        return _refuse(error)


def _deactivate(parsed: argparse.Namespace) -> int:
    try:
        return _say(deactivate(choose_directory(user=parsed.user, given=parsed.site)))
    except ActivationError as error:
        return _refuse(error)


def _say(lines: list[str], *, status: int = 0) -> int:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return status


def _refuse(error: ActivationError) -> int:
    sys.stderr.write(f"{error}\n")
    return REFUSED
