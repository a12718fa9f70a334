"""`pytest --rehearse-credentials 30s`: a test run whose credentials end soon.

pytest loads this module wherever the package is installed, so it loads nothing itself
unless it is asked to rehearse. PYTEST_DONT_REWRITE: there are no assertions here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from botocore_conn_provider.rehearsal.findings import RehearsalFindings

OPTION = "rehearse_credentials"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.getgroup("botocore-conn-provider").addoption(
        "--rehearse-credentials",
        dest=OPTION,
        metavar="DURATION",
        help="let the credentials of connections end so soon (2s to 1h), and fail if"
        " anything goes on using dead ones",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin the rehearsal, before any test module is imported.

    Raises:
        UsageError: The option is no duration.
    """
    said = config.getoption(OPTION, None)
    if said is None:
        return
    # Imported here, like below: most test runs rehearse nothing.
    from pytest import UsageError  # noqa: PT013 - the name alone, and only here

    from botocore_conn_provider.rehearsal.duration import RULE, read_seconds
    from botocore_conn_provider.rehearsal.rehearsal import find_job, start
    from botocore_conn_provider.startup.hook import arm

    seconds = read_seconds(said)
    if seconds is None:
        raise UsageError(f"--rehearse-credentials: {RULE}")
    if find_job() is None:  # else a part of who reports: xdist's
        config.pluginmanager.register(Conductor(seconds), "rehearse-credentials")
    arm()
    start()


class Conductor:
    """Collects and reports the rehearsal of a whole test run."""

    def __init__(self, seconds: float) -> None:
        import os

        from botocore_conn_provider.connection.environment import (
            REHEARSE_PLACE_VARIABLE,
            REHEARSE_VARIABLE,
        )
        from botocore_conn_provider.rehearsal.rehearsal import create_directory

        self._seconds = seconds
        self._directory: Path = create_directory()
        self._ended: float | None = None
        self._variables = {
            REHEARSE_VARIABLE: f"{seconds:g}",
            REHEARSE_PLACE_VARIABLE: str(self._directory),
        }
        os.environ.update(self._variables)

    def _find(self) -> RehearsalFindings:
        from botocore_conn_provider.rehearsal.findings import find

        return find(self._directory, self._ended)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Fail a run that passed, if dead keys were used in it."""
        import time

        self._ended = time.time()
        if exitstatus == 0 and not self._find().is_clean:
            session.exitstatus = 1

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Show the report."""
        from botocore_conn_provider.rehearsal.report import write_text

        terminalreporter.section("rehearsed credentials")
        terminalreporter.write(write_text(self._find(), self._seconds))

    def pytest_unconfigure(self) -> None:
        """End the rehearsal."""
        import os
        import shutil

        from botocore_conn_provider.rehearsal.rehearsal import stop

        stop()
        for name in self._variables:
            os.environ.pop(name, None)
        shutil.rmtree(self._directory, ignore_errors=True)
