"""A pytest plugin that runs a suite of others' with a connection, and notes outcomes.

Two variables say what it does: `PEERS_OUTCOMES` names the file for the outcomes, and
`PEERS_CONNECTION` holds the connection; without it the product stays away. The
suites replace the whole environment in many tests, so the connection is put into every
snapshot: otherwise most of their sessions would have none.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

CONNECTION = os.environ.get("PEERS_CONNECTION", "")
OUTCOMES = os.environ.get("PEERS_OUTCOMES", "")
outcomes: dict[str, str] = {}


def install(text: str) -> None:
    """Install the product, with this connection in the environment of each session."""
    import botocore_conn_provider
    from botocore_conn_provider.connection.environment import Snapshot
    from botocore_conn_provider.secret import Options

    take = Snapshot.take

    def take_with_connection() -> Snapshot:
        found = take()
        environ = Options({"AIRFLOW_CONN_AWS_DEFAULT": text, **found.environ})
        return found._replace(environ=environ)

    Snapshot.take = take_with_connection  # type: ignore[method-assign]
    botocore_conn_provider.install()


if CONNECTION:
    install(CONNECTION)


def pytest_runtest_setup() -> None:
    """Forget boto3's default session, which belongs to the environment it was made in.

    Otherwise the order of the tests would decide which of them fail.
    """
    boto3 = sys.modules.get("boto3")
    if boto3 is not None:
        vars(boto3)["DEFAULT_SESSION"] = None


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note a test's outcome: the worst of its three phases."""
    if report.failed or report.when == "call" or report.skipped:
        outcomes[report.nodeid] = "failed" if report.failed else report.outcome


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Note a file that cannot be collected as a failure of that file."""
    if report.failed:
        outcomes[report.nodeid] = "failed"


def pytest_sessionfinish() -> None:
    """Write the outcomes; xdist's workers leave that to their controller."""
    if OUTCOMES and "PYTEST_XDIST_WORKER" not in os.environ:
        Path(OUTCOMES).write_text(json.dumps(outcomes, indent=1, sort_keys=True))
