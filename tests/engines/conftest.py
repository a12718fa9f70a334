"""Run `whoami --everywhere` as a program, in an environment that a test makes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pytest

from tests.child import DEADLINE_SECONDS
from tests.engines.environment import (
    COMMAND,
    NODE_MODULES,
    lend_extensions,
    list_missing,
    make_path,
)
from tests.startup.conftest import AUTOLOAD

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.leaks import Leaks, Secrets

WHOAMI = (
    *(sys.executable, "-m", "botocore_conn_provider"),
    *("whoami", "--everywhere", "--json", "--timeout=120"),
)


class Everywhere(NamedTuple):
    """What the command said."""

    document: dict[str, Any]
    returncode: int

    @property
    def identities(self) -> dict[str, str]:
        return {each["name"]: each["identity"] for each in self.document["engines"]}

    def of(self, identity: str) -> set[str]:
        """Return the names of the engines that have this identity."""
        return {name for name, seen in self.identities.items() if seen == identity}

    def detail(self, name: str) -> str:
        (found,) = (e for e in self.document["engines"] if e["name"] == name)
        return str(found["detail"])


class LookEverywhere(Protocol):
    def __call__(
        self, env: Mapping[str, str], *, under: tuple[str, ...] = ()
    ) -> Everywhere: ...


@pytest.fixture(scope="session", autouse=True)
def _complete() -> None:
    missing = list(list_missing())
    assert not missing, f"Missing: {', '.join(missing)}. Run: {COMMAND}"


@pytest.fixture
def look_everywhere(leaks: Leaks, tmp_path: Path, isolated: Path) -> LookEverywhere:
    """Run the command on a machine with a role, with activation by PYTHONPATH.

    `env` comes over the environment, `under` before the command.
    """
    path = make_path(tmp_path / "programs")
    lend_extensions(isolated)
    directory = tmp_path / "here"
    directory.mkdir()

    def look(env: Mapping[str, str], *, under: tuple[str, ...] = ()) -> Everywhere:
        places = {"PATH": path, "PYTHONPATH": str(AUTOLOAD), "NODE_PATH": NODE_MODULES}
        environ = {**os.environ, **places, **env}
        if "AWS_EC2_METADATA_DISABLED" not in env:
            del environ["AWS_EC2_METADATA_DISABLED"]
        ended = subprocess.run(
            [*under, *WHOAMI],
            env=environ,
            cwd=directory,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        leaks.check_text(ended.stdout, place="standard output")
        leaks.check_text(ended.stderr, place="standard error")
        assert ended.stderr == ""
        return Everywhere(json.loads(ended.stdout), ended.returncode)

    return look


@pytest.fixture
def connection(secrets: Secrets) -> dict[str, str]:
    """A connection with keys, in the variable of the default one."""
    document = {
        "login": secrets.new_access_key_id(),
        "password": secrets.new("secret key"),
        "extra": {"region_name": "eu-west-1"},
    }
    return {"AIRFLOW_CONN_AWS_DEFAULT": json.dumps(document)}
