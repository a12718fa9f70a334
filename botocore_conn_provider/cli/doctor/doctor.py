"""`doctor`: run the real flow step by step, and stop at the first that fails."""

from __future__ import annotations

import json
import os
import platform
import sys
from typing import TYPE_CHECKING, Any

from botocore_conn_provider import __version__
from botocore_conn_provider.cli.connection_source import (
    add_source_arguments,
    read_given,
)
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    import argparse

    from botocore_conn_provider.cli.connection_source import Given
    from botocore_conn_provider.cli.doctor.step import Outcome

SUMMARY = "run the real flow step by step and say what fails, why, and what to do"
DESCRIPTION = """\
Run the connection's real flow step by step and stop at the first step that fails, with
cause, evidence and fix. Signs in, asks STS for credentials and asks who they are of.
Nothing is stored and no secret is shown. What stands beside the connection and may get
in its way (versions, proxies, engines) is a warning and fails nothing."""
EPILOG = """\
exit status:
  0 every step is good   1 a step failed   3 the connection is wrong
  4 no such connection   5 something is not installed

examples:
  botocore-conn doctor
  botocore-conn doctor --conn-id aws_prod --probe s3
  botocore-conn doctor --bundle ticket.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source_arguments(parser)
    parser.add_argument("--json", action="store_true", help="write JSON at the end")
    parser.add_argument(
        "--probe", metavar="SERVICE", help="call something harmless of it: s3, sqs, …"
    )
    parser.add_argument(
        "--bundle", metavar="FILE", help="write a redacted report, fit for a ticket"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write what each step says."""
    from botocore_conn_provider.cli.doctor.examination import examine
    from botocore_conn_provider.cli.doctor.screen import choose_screen

    given = read_given(arguments)
    screen = choose_screen(as_json=arguments.json)
    outcomes = examine(given, screen, probe=arguments.probe)
    report = build_report(given, outcomes)
    if arguments.json:
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
    if arguments.bundle:
        _write_bundle(arguments.bundle, given, report)
    return outcomes[-1].exit_code


@scrubbed
def _write_bundle(path: str, given: Given, report: dict[str, Any]) -> None:
    from botocore_conn_provider.errors import ConnProviderError
    from botocore_conn_provider.redaction import show_system_error

    try:
        write_bundle(path, given, report)
    except (OSError, ValueError) as error:  # the second: a null character
        raise ConnProviderError(
            conn_id=given.conn_id,
            cause=f"the file of --bundle cannot be written ({show_system_error(error)}).",
            hint="Name a file that you may write.",
        ) from None


def build_report(given: Given, outcomes: list[Outcome]) -> dict[str, Any]:
    """Return the report; its shape is in docs/command-line.md."""
    return {
        "connection": given.conn_id,
        "good": outcomes[-1].is_good,
        "hops": [
            {
                "hop": outcome.step,
                "good": outcome.is_good,
                "milliseconds": round(outcome.seconds * 1000),
                "evidence": list(outcome.evidence),
                "cause": outcome.cause,
                "fix": outcome.fix,
                "warnings": [warning.describe() for warning in outcome.warnings],
            }
            for outcome in outcomes
        ],
    }


def write_bundle(path: str, given: Given, report: dict[str, Any]) -> None:
    """Write report, explanation and versions to a file that only its owner reads."""
    bundle = build_bundle(given, report)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with open(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123 - with a mode
        json.dump(bundle, file, indent=2)


def build_bundle(given: Given, report: dict[str, Any]) -> dict[str, Any]:
    """Return the content of the file."""
    import botocore
    from botocore.exceptions import BotoCoreError

    from botocore_conn_provider.cli.explain.explain import describe
    from botocore_conn_provider.errors import describe_error

    try:
        explanation = describe(given)
    except BotoCoreError as error:
        explanation = {"error": describe_error(error)}
    return {
        "versions": {
            "botocore-conn-provider": __version__,
            "botocore": botocore.__version__,
            "python": platform.python_version(),
            "system": platform.platform(),
        },
        "doctor": report,
        "explain": explanation,
    }
