"""`rehearse`: run a job with credentials that live a minute, and see what would die.

The job is a child of ours in its own processes, so nothing of ours is in its way: its
output, its signals and its exit status are its own.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from botocore_conn_provider import startup
from botocore_conn_provider.cli import exit_codes as exits
from botocore_conn_provider.cli.arguments import find_program
from botocore_conn_provider.cli.main import complain
from botocore_conn_provider.connection.environment import (
    CONN_ID_VARIABLE,
    DISABLE_VARIABLE,
    REHEARSE_PLACE_VARIABLE,
    REHEARSE_VARIABLE,
    current_environment,
    hide_wrong_id,
    is_disabled,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.rehearsal.findings import RehearsalFindings

BEGINS_REHEARSALS = True
SUMMARY = "run a job with short-lived credentials, and see what would die after an hour"
DESCRIPTION = """\
Run a Python job, unchanged, with the connection and with credentials that end soon.

They are renewed as always. A request of boto3, botocore or aiobotocore that is signed
with credentials after their end gets AWS's answer, ExpiredToken, without reaching AWS;
the report names the code that took them out and the code that used them. It goes to
standard error; the job's own output is untouched.

What does not go through botocore (pyarrow, a Rust library, another program) is not
seen; the report names it."""
EPILOG = """\
exit status: the job's, if it failed; else 1 if a request used dead credentials, or a
report could not be written; 0 where nothing was rehearsed; 126 and 127 if it cannot
be run; else see botocore-conn --help

examples:
  botocore-conn rehearse -- python job.py
  botocore-conn rehearse --every 20s --junit rehearsal.xml -- pytest tests
  botocore-conn rehearse --conn-id aws_prod --json rehearsal.json -- python -m etl"""

USUAL = "60s"
LOOK_SECONDS = 0.5
AUTOLOAD = Path(startup.__file__).parent / "autoload"
REPORTS = ("json", "junit")
CANNOT_RUN, NOT_FOUND = 126, 127


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--conn-id", metavar="ID", type=hide_wrong_id, help="the connection"
    )
    parser.add_argument(
        "--every",
        metavar="DURATION",
        type=read_every,
        default=read_every(USUAL),
        help=f"how long credentials live, 2s to 1h (default: {USUAL})",
    )
    parser.add_argument(
        "--json", metavar="FILE", type=Path, help="write the report as JSON, too"
    )
    parser.add_argument(
        "--junit", metavar="FILE", type=Path, help="write the report for CI, too"
    )
    parser.add_argument(
        "program", metavar="-- COMMAND …", nargs=argparse.REMAINDER, help="the job"
    )


def read_every(text: str) -> float:
    """Return the seconds of a text such as 60s."""
    from botocore_conn_provider.rehearsal.duration import RULE, read_seconds

    seconds = read_seconds(text)
    if seconds is None:
        raise argparse.ArgumentTypeError(RULE)
    return seconds


def run(arguments: argparse.Namespace) -> int:
    """Run the job, report, and return its exit status."""
    program = find_program(arguments.program)
    if program is None:
        complain("there is no command to run: write it behind --")
        return exits.USAGE
    _look_at_connection(arguments.conn_id)
    refused = [name for name in REPORTS if not _can_write(getattr(arguments, name))]
    if refused:
        complain(f"the file of --{refused[0]} cannot be written: no job was run")
        return exits.USAGE
    from botocore_conn_provider.cli.running import end_as
    from botocore_conn_provider.rehearsal.rehearsal import create_directory

    directory = create_directory()
    try:
        status, is_well = _rehearse(program, arguments, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return end_as(status) if status or is_well else exits.FAILED


def _can_write(path: Path | None) -> bool:
    """Return whether a report can be written there, without touching it."""
    if path is None:
        return True
    if path.exists():
        return not path.is_dir() and os.access(path, os.W_OK)
    return os.access(path.parent, os.W_OK | os.X_OK)


def _look_at_connection(conn_id: str | None) -> None:
    """Say what makes the rehearsal of this connection useless.

    Raises:
        ConnectionNotFoundError: It is not there.
        InvalidConnectionError: It is wrong.
    """
    from botocore_conn_provider.connection.record import Connection

    environ = current_environment()
    settings = Connection.from_env(conn_id, environ=environ).settings
    if is_disabled(environ):
        complain(f"{DISABLE_VARIABLE} is set, so nothing is rehearsed")
    elif settings.role is None:
        complain(
            f"connection '{settings.conn_id}' has no role, so its credentials do not"
            " come from an exchange and do not end: of it there is nothing to rehearse"
        )


def _rehearse(
    program: list[str], arguments: argparse.Namespace, directory: Path
) -> tuple[int, bool]:
    """Return the job's exit status, and whether all is well besides."""
    from botocore_conn_provider.cli.running import (
        NotRunError,
        hold_signals,
        run_program,
    )

    environ = build_environment(arguments.conn_id, arguments.every, directory)
    with hold_signals() as mask, _progress(directory):
        try:
            status = run_program(program, environ, mask)
            ended = time.time()
        except NotRunError as error:
            complain(f"the program cannot be run: {error}.")
            return (NOT_FOUND if error.is_missing else CANNOT_RUN), True
    return status, _report(directory, arguments, ended)


def build_environment(
    conn_id: str | None, seconds: float, directory: Path
) -> dict[str, str]:
    """Return the job's environment: it is activated, and told of the rehearsal."""
    environ = {
        **current_environment(),
        REHEARSE_VARIABLE: f"{seconds:g}",
        REHEARSE_PLACE_VARIABLE: str(directory),
    }
    if conn_id is not None:
        environ[CONN_ID_VARIABLE] = conn_id
    others = environ.get("PYTHONPATH", "").split(os.pathsep)
    paths = [str(AUTOLOAD), *(each for each in others if each)]
    return {**environ, "PYTHONPATH": os.pathsep.join(paths)}


@contextlib.contextmanager
def _progress(directory: Path) -> Iterator[None]:
    """Tell on standard error what happens, while it does."""
    from botocore_conn_provider.rehearsal.progress import Progress

    ended = threading.Event()
    progress = Progress(directory, _say)

    def follow() -> None:
        while not ended.wait(LOOK_SECONDS):
            progress.tell()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        progress.tell()


def _say(line: str) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def _report(directory: Path, arguments: argparse.Namespace, ended: float) -> bool:
    """Report; return whether that succeeded and no dead set was seen in use."""
    from botocore_conn_provider.rehearsal.findings import find
    from botocore_conn_provider.rehearsal.report import (
        write_json,
        write_junit,
        write_text,
    )

    findings: RehearsalFindings = find(directory, ended)
    _say(write_text(findings, arguments.every).rstrip("\n"))
    texts = (write_json(findings, arguments.every), write_junit(findings))
    written = [
        _write(name, getattr(arguments, name), text)
        for name, text in zip(REPORTS, texts, strict=True)
    ]
    return all(written) and findings.is_clean


def _write(name: str, path: Path | None, text: str) -> bool:
    """Write what the option asks for, if it does; return whether that succeeded."""
    if path is None:
        return True
    from botocore_conn_provider.redaction import show_system_error

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        why = show_system_error(error)
        complain(f"the file of --{name} cannot be written ({why})")
        return False
    return True
