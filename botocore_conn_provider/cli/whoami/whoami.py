"""`whoami`: as whom the connection acts, and with --everywhere each engine that is here."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from botocore_conn_provider.cli import exit_codes as exits
from botocore_conn_provider.cli.arguments import add_conn_id

if TYPE_CHECKING:
    import argparse

SUMMARY = "say as whom the connection acts, and as whom each engine here would"
DESCRIPTION = """\
Say as whom AWS knows the connection: one exchange, or the store, and one question to
STS.

With --everywhere nothing is asked of AWS. Each engine and tool that is installed here
(pyarrow, polars, s3fs, the AWS CLI, Node's SDK …) makes one request to an S3 of this
command's own, on loopback, in the environment as it now stands. The key in it shows
whose the request would be: the connection's, the machine's (for which an instance
metadata service on loopback stands), another one, or nobody's. Made-up keys stand for
the connection, so there is no exchange."""
EPILOG = """\
exit status, with --everywhere:
  0 none signs as somebody else than the connection   1 an engine would
  3, 4, 5 none would, and the connection is wrong, absent, or lacks a package

examples:
  botocore-conn whoami
  botocore-conn whoami --everywhere
  botocore-conn whoami --everywhere --json | jq '.engines[] | {name, identity}'"""

DEADLINE_SECONDS = 50.0
TIMEOUT_SECONDS = 40.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_conn_id(parser)
    parser.add_argument("--json", action="store_true", help="write JSON")
    parser.add_argument(
        "--everywhere", action="store_true", help="try each engine that is here"
    )
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=float,
        default=TIMEOUT_SECONDS,
        help="with --everywhere: end an engine after this long (default: %(default)g)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write who we are, here or everywhere."""
    if arguments.everywhere:
        return _run_everywhere(arguments)
    from botocore_conn_provider.cli.whoami.connection_caller import identify, lay_out

    caller = identify(arguments.conn_id, deadline_seconds=DEADLINE_SECONDS)
    if arguments.json:
        _write_json(caller)
    else:
        sys.stdout.write("\n".join(lay_out(caller)) + "\n")
    return exits.OK


def _run_everywhere(arguments: argparse.Namespace) -> int:
    from botocore_conn_provider.cli.whoami.everywhere import look_everywhere
    from botocore_conn_provider.cli.whoami.sightings_screen import (
        show_progress,
        write_sightings,
    )

    with show_progress(is_wanted=not arguments.json):
        everywhere = look_everywhere(
            arguments.conn_id, timeout_seconds=arguments.timeout
        )
    if arguments.json:
        _write_json(everywhere.describe())
    else:
        write_sightings(everywhere)
    return everywhere.exit_code


def _write_json(document: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
