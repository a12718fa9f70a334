"""Run `whoami --everywhere` as a program, in an environment that a test makes."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pytest

from botocore_conn_provider.cli.whoami.loopback_aws import LoopbackMachine
from botocore_conn_provider.cli.whoami.loopback_server import serve as serve_machine
from botocore_conn_provider.cli.whoami.marker_keys import MarkerKeys
from tests.child import DEADLINE_SECONDS
from tests.connections import make_role
from tests.engines.environment import (
    COMMAND,
    NODE_MODULES,
    lend_extensions,
    list_missing,
    make_path,
)
from tests.engines.guarded_s3 import GuardedS3
from tests.engines.reading import Reader
from tests.loopback import LOOPBACK, serve
from tests.startup.conftest import AUTOLOAD
from tests.tables import put_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.aws import Aws
    from tests.engines.reading import StartReader
    from tests.leaks import Leaks, Secrets

READERS = Path(__file__).parent / "readers"
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


@pytest.fixture
def s3(aws: Aws) -> Iterator[GuardedS3]:
    """A bucket with a table of three rows."""
    put_numbers(aws)
    guarded = GuardedS3(aws)
    with serve(guarded) as port:
        guarded.url = f"http://{LOOPBACK}:{port}"
        yield guarded


@pytest.fixture
def start_reader(
    aws: Aws, s3: GuardedS3, secrets: Secrets, leaks: Leaks, isolated: Path
) -> Iterator[StartReader]:
    """Start programs on a machine that has a role, in an environment with keys."""
    lend_extensions(isolated)
    connection = make_role(aws, secrets, region_name="us-east-1", endpoint_url=s3.url)
    machine = LoopbackMachine(MarkerKeys.make(), MarkerKeys.make())
    with serve_machine(machine) as url:
        environment = {
            **os.environ,
            "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection),
            "AWS_ACCESS_KEY_ID": secrets.new_access_key_id(),
            "AWS_SECRET_ACCESS_KEY": secrets.new("foreign secret key"),
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": url,
            "AWS_METADATA_ENDPOINT": url,
            "AWS_EC2_METADATA_DISABLED": "false",
            "DO_NOT_TRACK": "true",
            "DAFT_ANALYTICS_ENABLED": "0",
        }

        @contextlib.contextmanager
        def start(name: str) -> Iterator[Reader]:
            with subprocess.Popen(
                [sys.executable, str(READERS / "run_reader.py"), name],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ) as program:
                reader = Reader(program)
                try:
                    yield reader
                finally:
                    out, reader.errors = program.communicate(timeout=DEADLINE_SECONDS)
            leaks.check_text(reader.errors, place="standard error")
            leaks.check_text(f"{reader.seen}{out}", place="reports")

        yield start
