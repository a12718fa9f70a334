"""A machine with a role, on which `whoami` tries the engines of the tests' own Python."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from botocore_conn_provider.cli.engine_table import ENGINES
from botocore_conn_provider.cli.whoami import probing
from tests.cli.conftest import ROLE
from tests.connections import make_role
from tests.startup.conftest import AUTOLOAD

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws import Aws
    from tests.cli.conftest import Command
    from tests.leaks import Secrets


def write_role(aws: Aws, secrets: Secrets) -> str:
    """Return a connection with keys and a role."""
    return json.dumps(make_role(aws, secrets, role_arn=ROLE))


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have no store of this machine, no other programs, and a machine with a role."""
    monkeypatch.setenv("BOTOCORE_CONN_STORE", "off")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try boto3 only, which costs a second."""
    engines = [each for each in ENGINES if each.name == "boto3"]
    monkeypatch.setattr(probing, "ENGINES", engines)


@pytest.fixture
def activated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have children use the connection from their start."""
    monkeypatch.setenv("PYTHONPATH", str(AUTOLOAD))


def look(command: Command, *words: str) -> tuple[dict[str, Any], dict[str, str], int]:
    """Return the document, the identity of each engine, and the exit code."""
    said = command("whoami", "--everywhere", "--json", *words)
    document = json.loads(said.out)
    seen = {each["name"]: each["identity"] for each in document["engines"]}
    return document, seen, said.code
