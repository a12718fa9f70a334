"""`lint`: what is wrong, outdated or unwise in a connection, without using it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, NamedTuple

from botocore_conn_provider.cli import exit_codes as exits
from botocore_conn_provider.cli.connection_source import (
    add_source_arguments,
    read_given,
)
from botocore_conn_provider.cli.explain.accounts import (
    find_key_account,
    find_role_account,
)
from botocore_conn_provider.cli.forms.rewriting import rewrite
from botocore_conn_provider.cli.neighbours.look import find_neighbours
from botocore_conn_provider.connection.settings import AssumeRole, AwsSettings
from botocore_conn_provider.errors import InvalidConnectionError, Problem
from botocore_conn_provider.exchange.checks import prepare_base

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from botocore_conn_provider.cli.connection_source import Given
    from botocore_conn_provider.connection.record import Connection

NEIGHBOUR = "neighbour"
SUMMARY = "find what is wrong, outdated or unwise in the connection"
DESCRIPTION = """\
Read the connection, and judge it with this machine's botocore, profiles and files.
Nothing is sent. Misspelt fields are told with what was probably meant, deprecated
ones with what replaces them. What stands beside the connection on this machine and may
get in its way (versions, proxies, engines) is told as a neighbour."""
EPILOG = """\
exit status:
  0 nothing is wrong (advice may be given)   1 with --strict: there is advice about
  the connection (neighbours do not count: they are this machine's)
  3 the connection is wrong

examples:
  botocore-conn lint --conn-id aws_prod --json
  botocore-conn lint --fix > connection.new"""


class Remark(NamedTuple):
    """One thing to say. `level` is error, deprecated, advice or neighbour.

    A neighbour is a finding of `cli.neighbours`; it has `kind`, `name` and `version`
    in the place of a field.
    """

    level: str
    field: str | None
    text: str
    fix: str = ""
    kind: str | None = None
    name: str | None = None
    version: str | None = None

    def __str__(self) -> str:
        field = f"'{self.field}' " if self.field else ""
        return f"{self.level}: {field}{self.text} {self.fix}".rstrip()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source_arguments(parser)
    parser.add_argument("--json", action="store_true", help="write JSON")
    parser.add_argument(
        "--strict", action="store_true", help="fail where there is advice, too"
    )
    parser.add_argument(
        "--fix",
        action="store_true",
        help="write the connection, secrets included, with deprecated fields"
        " rewritten; the remarks go to standard error",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the remarks."""
    given = read_given(arguments)
    connection, remarks = examine(given)
    out = sys.stderr if arguments.fix else sys.stdout
    out.write(write_remarks(given, remarks, as_json=arguments.json) + "\n")
    if connection is None:
        return exits.WRONG
    if arguments.fix:
        sys.stdout.write(write_rewritten(connection, given) + "\n")
    is_unwise = any(remark.level != NEIGHBOUR for remark in remarks)
    return exits.FAILED if is_unwise and arguments.strict else exits.OK


def examine(given: Given) -> tuple[Connection | None, list[Remark]]:
    """Return the connection, None for one that is wrong, and what is to be said."""
    try:
        connection = given.parse()
        base = prepare_base(connection.settings, given.view, variable=given.place)
    except InvalidConnectionError as error:
        return None, [_from_problem(problem) for problem in error.problems]
    settings = connection.settings
    return connection, [
        *(
            Remark(_level_of(n), None, f"{n[0].upper()}{n[1:]}")
            for n in settings.notices
        ),
        *advise(settings),
        *(
            Remark(level=NEIGHBOUR, field=None, **found._asdict())
            for found in find_neighbours(settings, base, given.snapshot)
        ),
    ]


def _from_problem(problem: Problem) -> Remark:
    return Remark("error", problem.field, f"{problem.seen}.", problem.fix)


def _level_of(notice: str) -> str:
    return "deprecated" if "deprecated" in notice else "advice"


def advise(settings: AwsSettings) -> Iterator[Remark]:
    """Yield what works and is unwise."""
    role = settings.role
    if isinstance(role, AssumeRole) and "ExternalId" not in role.parameters:
        theirs = find_role_account(role.role_arn)
        ours = settings.keys and find_key_account(settings.keys)
        if ours is not None and ours != theirs:
            yield Remark(
                "advice",
                "role_arn",
                f"is of account {theirs}, the keys are of {ours}, and there is no"
                " ExternalId.",
                "If the account is another company's, agree on one and put it into"
                " 'assume_role_kwargs.ExternalId' (the confused deputy problem).",
            )
    if role is not None and settings.keys is not None and settings.keys.session_token:
        yield Remark(
            "advice",
            "aws_session_token",
            "belongs to temporary keys: once they expire, the role cannot be assumed"
            " again, and a running program cannot be given new ones.",
            "Write lasting keys or a profile whose credentials are renewed.",
        )
    if settings.client.verify is False:
        yield Remark(
            "advice",
            "verify",
            "is false: anyone on the network path can read and change what is sent.",
            "Write the path of your CA's certificates instead.",
        )


def write_remarks(given: Given, remarks: list[Remark], *, as_json: bool) -> str:
    """Return the remarks, one a line, or as JSON."""
    if as_json:
        told = [{k: v for k, v in r._asdict().items() if v} for r in remarks]
        return json.dumps({"connection": given.conn_id, "remarks": told})
    if not remarks:
        return f"Connection '{given.conn_id}': nothing to remark."
    return "\n".join(map(str, remarks))


def write_rewritten(connection: Connection, given: Given) -> str:
    """Return the connection rewritten, in the form that it has."""
    rewritten = rewrite(connection)
    is_json = given.text is not None and given.text.reveal().lstrip()[:1] == "{"
    return rewritten.to_json() if is_json else rewritten.to_uri()
