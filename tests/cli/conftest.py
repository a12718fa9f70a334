"""The real parts of the SAML tests, borrowed, and a short way to run a command."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import pytest

from botocore_conn_provider.cli.main import main
from tests.cli.serving import Neighbourhood
from tests.ways import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.aws import Aws
    from tests.certificates import Certificates
    from tests.cli.console_parts import Console
    from tests.leaks import Leaks, Secrets

ROLE = "arn:aws:iam::123456789012:role/analyst"
CONNECTION = "AIRFLOW_CONN_AWS_DEFAULT"
INSTALLED_CLI = Path(__file__).parents[2] / ".venv-awscli" / "bin" / "aws"


class Said(NamedTuple):
    """What a command wrote and ended with."""

    out: str
    err: str
    code: int


class Command(Protocol):
    def __call__(self, *words: str) -> Said: ...


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], leaks: Leaks) -> Command:
    """Run a command in this process; what it writes may show no secret."""

    def run(*words: str) -> Said:
        try:
            code = main(words)
        except SystemExit as end:
            code = int(str(end.code))
        out, err = capsys.readouterr()
        leaks.check_text(out, place="standard output")
        leaks.check_text(err, place="standard error")
        return Said(out, err, code)

    return run


@pytest.fixture(scope="session")
def aws_cli() -> Path:
    """The AWS CLI, version 1, which needs a botocore of its own.

    `AWS_CLI` names it; else it is the one that `make` installs, else that on the path.
    """
    named = os.environ.get("AWS_CLI") or shutil.which(INSTALLED_CLI) or "aws"
    found = shutil.which(named)
    assert found, "The AWS CLI is missing. Run: make .venv-awscli/installed"
    return Path(found).absolute()


@pytest.fixture
def neighbourhood(
    tmp_path: Path, aws: Aws, secrets: Secrets, leaks: Leaks
) -> Iterator[Neighbourhood]:
    with Neighbourhood(tmp_path, aws, secrets, leaks).opened() as opened:
        yield opened


@pytest.fixture
def console(
    aws: Aws,
    secrets: Secrets,
    leaks: Leaks,
    certificates: Certificates,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Console]:
    """The console command, whose way leads to an endpoint on loopback."""
    # Imported here, because it imports this module.
    from tests.cli.console_parts import Console

    made = Console(aws, secrets, leaks, capfd, monkeypatch)
    with made.endpoint.serve(certificates) as endpoint, Proxy(endpoint).serve() as way:
        made.proxy = way.url
        made.set_connection()
        yield made
