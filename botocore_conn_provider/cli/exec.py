"""`exec`: run a program that has the connection, and nothing else, as its AWS identity."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from botocore_conn_provider.cli import exit_codes as exits
from botocore_conn_provider.cli.arguments import add_conn_id, add_log_asks, find_program
from botocore_conn_provider.cli.main import complain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.cli.handing_on import Prepared
    from botocore_conn_provider.connection.environment import Environ
    from botocore_conn_provider.endpoint.narrowing import Narrowing
    from botocore_conn_provider.secret import Options

SUMMARY = "run a program with the connection as its AWS identity"
DESCRIPTION = """\
Run a program in any language, which finds the connection as its one AWS identity.

Its environment names an endpoint of this command on 127.0.0.1, which every AWS SDK
knows to ask, and nothing that would come before it: no other keys, profile, token or
machine role. The exchange is made before the program starts. The credentials are
renewed while it runs, and the endpoint ends with it. Signals and the exit status are
passed on.

Keys without a session token stand in AWS_ACCESS_KEY_ID instead."""
EPILOG = """\
A narrowed program (--policy, --read-only, --for) has a session that may do less than
the role, and no connection in its environment to get the whole role by. It is no
sandbox: what the user may read and reach, it may.

exit status: the program's; 126 and 127 if it cannot be run; else see
botocore-conn --help

examples:
  botocore-conn exec -- node etl.js
  botocore-conn exec --conn-id aws_prod --read-only --for 30m -- claude
  botocore-conn exec --policy one-bucket.json -- aws s3 sync . s3://bucket"""

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
# Shells' own, for a program that cannot be run.
CANNOT_RUN, NOT_FOUND = 126, 127
# Names that a narrowed program must not have.
CONNECTIONS = ("AIRFLOW_CONN_", "BOTOCORE_CONN_")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_conn_id(parser)
    policy = parser.add_mutually_exclusive_group()
    policy.add_argument(
        "--policy",
        metavar="FILE|ARN",
        type=read_policy_argument,
        help="a session policy: its document, or the ARN of a managed one",
    )
    policy.add_argument(
        "--read-only", action="store_true", help="AWS's policy ReadOnlyAccess"
    )
    parser.add_argument(
        "--for",
        dest="seconds",
        metavar="DURATION",
        type=read_duration,
        help="credentials end after this long, 15m to 12h, and are not renewed",
    )
    parser.add_argument(
        "--keep-aws-files",
        action="store_true",
        help="leave ~/.aws/config and credentials in use; their default profile may win",
    )
    add_log_asks(parser)
    parser.add_argument(
        "program", metavar="-- COMMAND …", nargs=argparse.REMAINDER, help="the program"
    )


def read_policy_argument(text: str) -> str:
    """Return the ARN, or the document in the file."""
    from botocore_conn_provider.endpoint.narrowing import PolicyError, read_policy

    if text.startswith("arn:"):
        return text
    try:
        return read_policy(Path(text).read_text(encoding="utf-8"))
    except (OSError, UnicodeError):
        raise argparse.ArgumentTypeError("the file cannot be read") from None
    except PolicyError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def read_duration(text: str) -> int:
    """Return the seconds of a text such as 30m."""
    from botocore_conn_provider.endpoint.narrowing import (
        LONGEST_SECONDS,
        SHORTEST_SECONDS,
    )

    found = re.fullmatch(r"(\d{1,6})([smh]?)", text, re.ASCII)
    seconds = int(found[1]) * UNITS[found[2]] if found else 0
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise argparse.ArgumentTypeError("it must be from 15m to 12h, as AWS has it")
    return seconds


def run(arguments: argparse.Namespace) -> int:
    """Run the program, and return its exit status."""
    from botocore_conn_provider.endpoint.narrowing import Narrowing

    program = find_program(arguments.program)
    if program is None:
        complain("there is no command to run: write it behind --")
        return exits.USAGE
    narrowing = Narrowing(arguments.policy, arguments.read_only, arguments.seconds)
    if arguments.keep_aws_files and not narrowing.is_none:
        complain("--keep-aws-files would give a narrowed program other identities")
        return exits.USAGE
    # A plug-in may print, now and when it renews: not into the program's output.
    with contextlib.redirect_stdout(sys.stderr):
        return run_handed_on(program, arguments, narrowing)


def run_handed_on(
    program: list[str], arguments: argparse.Namespace, narrowing: Narrowing
) -> int:
    """Run the program with the connection's credentials at hand, to its end."""
    from botocore_conn_provider.cli.handing_on import prepare
    from botocore_conn_provider.cli.running import (
        NotRunError,
        end_as,
        hold_signals,
        run_program,
    )

    prepared = prepare(arguments.conn_id, narrowing)
    with (
        hold_signals() as mask,
        hand_on(prepared, logs=arguments.log_asks) as identity,
    ):
        environ = build_environment(
            prepared, identity, narrowing, keeps_files=arguments.keep_aws_files
        )
        try:
            status = run_program(program, environ, mask)
        except NotRunError as error:
            complain(f"the program cannot be run: {error}.")
            return NOT_FOUND if error.is_missing else CANNOT_RUN
    return end_as(status)


@contextlib.contextmanager
def hand_on(prepared: Prepared, *, logs: bool) -> Iterator[Options]:
    """Return the variables that hold the identity, or lead to it.

    Raises:
        ConnProviderError: The endpoint cannot be opened.
    """
    from botocore_conn_provider.cli.handing_on import hear_asks
    from botocore_conn_provider.endpoint.endpoint import Endpoint
    from botocore_conn_provider.endpoint.variables import give_endpoint, give_keys
    from botocore_conn_provider.errors import ConnProviderError
    from botocore_conn_provider.redaction import show_system_error

    if prepared.supply is None:
        if prepared.keys is None:
            raise TypeError("there is a supply, or there are keys")
        yield give_keys(prepared.keys)
        return
    try:
        endpoint = Endpoint(prepared.supply, on_answer=hear_asks("exec", logs=logs))
    except (OSError, RuntimeError) as error:
        raise ConnProviderError(
            conn_id=prepared.settings.conn_id,
            cause=f"no endpoint can be opened for the program: {show_system_error(error)}.",
            hint="It needs a port of 127.0.0.1, and a directory to write to: TMPDIR.",
        ) from None
    try:
        yield give_endpoint(endpoint)
    finally:
        endpoint.close()


def build_environment(
    prepared: Prepared, identity: Options, narrowing: Narrowing, *, keeps_files: bool
) -> Environ:
    """Return the program's environment. It holds secrets: never show it."""
    from botocore_conn_provider.endpoint.profile_region import find_profile_region
    from botocore_conn_provider.endpoint.variables import HandedOn, change_environment

    settings, environ = prepared.settings, prepared.snapshot.environ
    region = find_profile_region(settings, prepared.snapshot)
    given = HandedOn(identity, settings.client.region_name, region)
    if narrowing.is_none:
        return change_environment(environ, given, keeps_files=keeps_files)
    changed = change_environment(environ, given, notes_changes=False)
    return {
        name: value
        for name, value in changed.items()
        if not name.upper().startswith(CONNECTIONS)
    }
