"""Find the subcommand that is meant, and turn its errors into exit codes.

argparse, because it is there: a better-kept library would cost
`credential-process` more than its whole work. What it would show of a wrong
argument is not shown, since people paste connections where names belong.
"""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from botocore_conn_provider.cli import exit_codes as exits

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = "botocore_conn_provider.cli"
# A subcommand is a module of the shape `Command`. To add one is to add a line.
COMMANDS = {
    "explain": f"{HERE}.explain.explain",
    "doctor": f"{HERE}.doctor.doctor",
    "whoami": f"{HERE}.whoami.whoami",
    "top": f"{HERE}.top.top",
    "convert": f"{HERE}.convert",
    "lint": f"{HERE}.lint",
    "credential-process": f"{HERE}.credential_process",
    "export": f"{HERE}.export",
    "console": f"{HERE}.console.console",
    "exec": f"{HERE}.exec",
    "serve": f"{HERE}.serve",
    "spark-conf": f"{HERE}.spark_conf",
    "rehearse": f"{HERE}.rehearse",
    "activate": f"{HERE}.activate",
    "deactivate": f"{HERE}.deactivate",
}

PROGRAM = "botocore-conn"
# How argparse shows a value that it does not take.
SHOWN_VALUE = re.compile(r": '.*'(?= \(choose from |$)", re.DOTALL)
DESCRIPTION = """\
See, understand and use the AWS connection in AIRFLOW_CONN_<ID>, without Airflow.

Secrets never stand in arguments: a connection is read from the environment, or
from standard input with --stdin."""
EPILOG = """\
environment:
  AIRFLOW_CONN_<ID>      the connection, as URI or JSON (<ID> in upper case)
  BOTOCORE_CONN_ID       which connection; without it aws_default
  BOTOCORE_CONN_STORE    on, off or a directory: credentials shared by processes

exit status:
  0 it worked   1 it failed   2 called wrongly   3 the connection is wrong
  4 no such connection   5 something is not installed   6 the deadline passed

examples:
  botocore-conn explain
  botocore-conn doctor --conn-id aws_prod
  botocore-conn COMMAND --help"""


class Command(Protocol):
    """What a subcommand's module holds."""

    SUMMARY: str
    """One line, for the list of subcommands."""
    DESCRIPTION: str
    EPILOG: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; return the exit code."""


class Arguments(argparse.Namespace):
    """What was given; its repr shows none of it, because it may be in the wrong place."""

    def __repr__(self) -> str:
        return "Arguments(…)"


class Parser(argparse.ArgumentParser):
    """A parser that does not repeat what it did not understand."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong without the words that may be a secret."""
        if message.startswith("unrecognized arguments"):
            message = "there are arguments that it does not know (not shown: they may"
            message += " be secret). A connection belongs on standard input: --stdin"
        else:
            message = SHOWN_VALUE.sub("", message)
        super().error(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    arguments = build_parser(words).parse_args(words, namespace=Arguments())
    _set_up_logging(debug=arguments.debug)
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except BrokenPipeError:
        # The reader has closed the pipe. The interpreter would complain at its end.
        sys.stdout = None
        return exits.FAILED


def build_parser(words: Sequence[str]) -> Parser:
    """Return the parser, with the named subcommand only, else with all."""
    parser = Parser(prog=PROGRAM, description=DESCRIPTION, epilog=EPILOG)
    places = parser.add_subparsers(metavar="COMMAND", required=True)
    named = [name for name in words[:1] if name in COMMANDS] or COMMANDS
    for name in named:
        command = _load(name)
        place = places.add_parser(
            name,
            help=command.SUMMARY,
            description=command.DESCRIPTION,
            epilog=command.EPILOG,
        )
        place.set_defaults(command=command)
        command.add_arguments(place)
        place.add_argument(
            "--debug", action="store_true", help="log each step to standard error"
        )
    return parser


def _load(name: str) -> Command:
    from importlib import import_module

    command: Any = import_module(COMMANDS[name])
    return command  # type: ignore[no-any-return]


def _run(arguments: argparse.Namespace) -> int:
    # Imported here because a call for help needs no botocore.
    from botocore.exceptions import BotoCoreError

    from botocore_conn_provider.errors import describe_error
    from botocore_conn_provider.quiet import quiet_exchange

    command: Command = arguments.command
    try:
        _join_rehearsal(arguments)
        # Whatever this process asks AWS or an IdP is ours, not a user's call.
        with quiet_exchange():
            return command.run(arguments)
    except BotoCoreError as error:
        complain(describe_error(error))
        return exits.code_of(error)


def _join_rehearsal(arguments: argparse.Namespace) -> None:
    """Take part in the rehearsal of the job that started this command."""
    from botocore_conn_provider.connection.environment import (
        REHEARSE_VARIABLE,
        current_environment,
    )

    is_new = getattr(arguments.command, "BEGINS_REHEARSALS", False)
    if current_environment().get(REHEARSE_VARIABLE) and not is_new:
        # Imported here: few commands are part of a job that is rehearsed.
        from botocore_conn_provider.rehearsal.rehearsal import start

        start()


def complain(text: str) -> None:
    """Say what is wrong, or what to mind, on one line of standard error."""
    line = " ".join(text.split())
    if sys.stderr is None:  # a program that was started without it goes on
        return
    sys.stderr.write(f"{PROGRAM}: {line}\n")


def _set_up_logging(*, debug: bool) -> None:
    """Show records with --debug only: warnings are part of what a command tells."""
    import logging

    handler: logging.Handler = logging.NullHandler()
    if debug:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        logging.getLogger().setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
