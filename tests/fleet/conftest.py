"""What a fleet's tests have in common: an S3 that judges, and machines with a role.

Nodes are on one machine here. What makes two of them is the store: each has its own.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest

from tests.fleet.dask_nodes import DaskNodes
from tests.fleet.machine import make_text, run_machine, serve_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from distributed import Client

    from tests.aws import Aws
    from tests.engines.guarded_s3 import GuardedS3
    from tests.leaks import Leaks, Secrets

NEEDED = (
    "celery",
    "distributed",
    "gunicorn",
    "pandas",
    "polars",
    "pyspark",
    "ray",
    "s3fs",
)
LAKE = "AIRFLOW_CONN_AWS_LAKE"


@pytest.fixture(scope="session", autouse=True)
def _complete() -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    assert not missing, f"Missing: {', '.join(missing)}. Run: make test-fleet"


@pytest.fixture
def s3(aws: Aws) -> Iterator[GuardedS3]:
    """A bucket with a table of three rows; it takes sets of STS while they live."""
    with serve_table(aws) as guarded:
        yield guarded


@pytest.fixture
def text(aws: Aws, s3: GuardedS3, secrets: Secrets) -> str:
    """The text of a connection with keys and a role."""
    return make_text(aws, secrets, s3)


@pytest.fixture
def machine(s3: GuardedS3, secrets: Secrets) -> Iterator[dict[str, str]]:
    """The environment of nodes that have a role and keys of their own, to be taken wrongly."""
    with run_machine(s3, secrets) as environment:
        yield environment


@pytest.fixture
def bare_nodes(
    tmp_path: Path, machine: dict[str, str], leaks: Leaks
) -> Iterator[DaskNodes]:
    """A cluster of machines that have a role and no connection."""
    with DaskNodes(tmp_path, machine).run() as nodes:
        yield nodes
    leaks.check_text(nodes.read_logs(), place="the logs")


@pytest.fixture
def nodes(bare_nodes: DaskNodes, text: str) -> DaskNodes:
    """A cluster of machines that have the connection, too."""
    bare_nodes.environ[LAKE] = text
    return bare_nodes


@pytest.fixture
def client(bare_nodes: DaskNodes) -> Iterator[Client]:
    with bare_nodes.connect() as client:
        yield client
