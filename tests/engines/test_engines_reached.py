"""Each engine in a program whose engines are switched on, on a machine that has a role."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import botocore_conn_provider
from botocore_conn_provider.cli.engine_table import ENGINES, PythonEngine
from botocore_conn_provider.cli.whoami.loopback_aws import LoopbackMachine, LoopbackS3
from botocore_conn_provider.cli.whoami.loopback_server import serve
from botocore_conn_provider.cli.whoami.marker_keys import MarkerKeys
from botocore_conn_provider.endpoint.variables import (
    HandedOn,
    change_environment,
    give_nothing,
)
from tests.aws import Fault, build_error
from tests.child import DEADLINE_SECONDS
from tests.engines.environment import NODE_MODULES, lend_extensions, make_path
from tests.startup.conftest import AUTOLOAD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.aws import Aws
    from tests.ways import Proxy

CHECKOUT = Path(botocore_conn_provider.__file__).parents[1]
ROLE = "arn:aws:iam::123456789012:role/reader"
IN_PYTHON = [each for each in ENGINES if isinstance(each, PythonEngine)]
NAMES = {each.name for each in IN_PYTHON}
# Sends its requests to S3 to a proxy, whatever NO_PROXY says; not those for credentials.
IGNORES_NO_PROXY = {"s3torchconnector"}
# Starts a program of another language as users do, from a Python that uses boto3.
START_CHILD = """
import botocore.session, subprocess, sys
botocore.session.Session()
sys.exit(subprocess.run(sys.argv[1:], check=False).returncode)
"""


class Signed(NamedTuple):
    """The key id of an engine's first signed request, None if none was signed."""

    key_id: str | None
    said: str


class Machine:
    """A machine with a role, on which programs run."""

    def __init__(self, keys: MarkerKeys, environment: Mapping[str, str]) -> None:
        self.keys = keys
        self.key_id = json.loads(keys.write_document())["AccessKeyId"]
        self.environment = dict(environment)

    def run(self, command: list[str], variables: Mapping[str, str]) -> Signed:
        """Run a program that is given an S3, and see who signed."""
        s3 = LoopbackS3()
        with serve(s3) as url:
            ended = subprocess.run(
                [*command, url],
                env={**self.environment, **variables},
                capture_output=True,
                text=True,
                timeout=DEADLINE_SECONDS,
                check=False,
            )
        return Signed(s3.find_signer(), ended.stdout + ended.stderr)

    def run_all(self, *, plainly: bool = False) -> dict[str, Signed]:
        """Run the probe of every engine of Python.

        Args:
            plainly: With the variables of the environment alone.
        """

        def run_one(engine: PythonEngine) -> Signed:
            found = engine.find(os.environ)
            assert found is not None
            variables = {**engine.variables, "AWS_EC2_METADATA_DISABLED": "false"}
            return self.run(list(found.command), {} if plainly else variables)

        names = [each.name for each in IN_PYTHON]
        with ThreadPoolExecutor(2) as pool:
            return dict(zip(names, pool.map(run_one, IN_PYTHON), strict=True))


@pytest.fixture
def machine(aws: Aws, isolated: Path, tmp_path: Path) -> Iterator[Machine]:
    """A machine whose programs are activated, and whose connection starts from its role."""
    lend_extensions(isolated)
    connection = {
        "conn_type": "aws",
        "extra": {
            "role_arn": ROLE,
            "region_name": "eu-west-1",
            "service_config": {"sts": {"endpoint_url": aws.url}},
        },
    }
    keys = MarkerKeys.make()
    with serve(LoopbackMachine(keys, MarkerKeys.make())) as url:
        yield Machine(
            keys,
            {
                **os.environ,
                "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection),
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": url,
                "AWS_METADATA_ENDPOINT": url,
                "BOTOCORE_CONN_ENGINES": "on",
                "NODE_PATH": NODE_MODULES,
                "PATH": make_path(tmp_path / "programs"),
                "PYTHONPATH": str(AUTOLOAD),
            },
        )


def test_every_engine_signs_with_the_connections_key(
    machine: Machine, aws: Aws
) -> None:
    seen = machine.run_all()
    issued = {name: str(each.key_id) for name, each in seen.items()}
    assert {n for n, key in issued.items() if key.startswith("ASIA")} == NAMES, seen
    assert machine.key_id not in issued.values()
    # The machine's role is what the connection's starts from.
    assert {each.access_key_id for each in aws.sts_requests} == {machine.key_id}
    assert len(aws.sts_requests) == len(NAMES)


def test_no_engine_is_the_machine_where_sts_refuses(machine: Machine, aws: Aws) -> None:
    aws.inject(Fault(403, build_error("AccessDenied")), times=1000)
    seen = machine.run_all()
    assert {name for name, each in seen.items() if each.key_id} == set(), seen


def test_no_engine_is_the_machine_where_the_connection_is_wrong(
    machine: Machine,
) -> None:
    machine.environment["AIRFLOW_CONN_AWS_DEFAULT"] = "aws://broken"
    seen = machine.run_all()
    assert {name for name, each in seen.items() if each.key_id} == set(), seen


def test_no_engine_is_the_machine_where_the_endpoint_is_gone(machine: Machine) -> None:
    gone = change_environment(machine.environment, HandedOn(give_nothing()))
    for name in ("PYTHONPATH", "BOTOCORE_CONN_ENGINES"):
        del gone[name]
    machine.environment = gone
    seen = machine.run_all(plainly=True)
    assert {name for name, each in seen.items() if each.key_id} == set(), seen


@pytest.mark.parametrize("exceptions", ["127.0.0.1", "*"])
def test_no_engine_sends_the_token_to_a_proxy(
    exceptions: str, machine: Machine, proxy: Proxy
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        machine.environment[name] = proxy.url
    # As users have it: STS and the metadata service are asked without the proxy.
    machine.environment["NO_PROXY"] = exceptions
    seen = machine.run_all()
    reached = {name for name, each in seen.items() if each.key_id}
    assert reached >= NAMES - IGNORES_NO_PROXY, seen
    assert not [each for each in proxy.requests if "whoami" not in each.target]


@pytest.mark.parametrize("name", ["Node's SDK", "AWS CLI"])
def test_child_of_a_python_program_signs_with_the_connections_key(
    machine: Machine, name: str
) -> None:
    program = next(each for each in ENGINES if each.name == name)
    found: Any = program.find(machine.environment)
    command = [sys.executable, "-c", START_CHILD, *found.command]
    signed = machine.run(command, {"AWS_EC2_METADATA_DISABLED": "false"})
    assert str(signed.key_id).startswith("ASIA"), signed
    assert signed.key_id != machine.key_id


def test_aws_cli_with_a_botocore_of_its_own_is_told_what_to_do(
    machine: Machine,
) -> None:
    """Debian's reads PYTHONPATH, and has its botocore under botocore's name."""
    machine.environment["PYTHONPATH"] += f"{os.pathsep}{CHECKOUT}"
    program = next(each for each in ENGINES if each.name == "AWS CLI")
    found: Any = program.find(machine.environment)
    signed = machine.run(list(found.command), {"AWS_EC2_METADATA_DISABLED": "false"})
    assert signed.key_id is None
    assert "botocore-conn exec" in signed.said
