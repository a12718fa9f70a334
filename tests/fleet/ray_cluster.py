"""A Ray cluster of two nodes on this machine, each with a store of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import ray
from ray.cluster_utils import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.leaks import Leaks

ONE, TWO = "node_one", "node_two"  # resources, by which a test says where a task runs


class Node(NamedTuple):
    """One of the two: Ray's object for it."""

    raylet: Any

    def kill(self) -> None:
        """Kill the node's agent, not its workers."""
        (process,) = self.raylet.all_processes["raylet"]
        process.process.kill()
        process.process.wait()


class RayCluster:
    """Nodes are started as a test needs them; the first is where the driver is."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self.directory = directory
        self.environment = dict(environment)
        self._cluster = Cluster()
        self.nodes: dict[str, Node] = {}

    def start(
        self,
        name: str = ONE,
        *,
        workers: int = 2,
        dashboard: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Start a node with `env` in its environment."""
        store = self.directory / name
        store.mkdir()
        raylet = self._cluster.add_node(
            num_cpus=workers,
            resources={name: 1000},
            object_store_memory=80_000_000,
            env_vars={
                **self.environment,
                "BOTOCORE_CONN_STORE": str(store),
                **(env or {}),
            },
            include_dashboard=dashboard,
            **({} if self.nodes else {"temp_dir": str(self.directory)}),
        )
        self.nodes[name] = Node(raylet)

    def connect(self, runtime_env: Mapping[str, Any] | None = None) -> None:
        """Be the driver."""
        ray.init(
            address=self._cluster.address,
            runtime_env=runtime_env,
            log_to_driver=False,
        )

    @property
    def address(self) -> str:
        return str(self._cluster.address)

    def stop(self) -> None:
        ray.shutdown()
        self._cluster.shutdown()

    def check_files(self, leaks: Leaks) -> None:
        """Fail if a file that Ray wrote shows a secret."""
        for path in self.directory.rglob("*"):
            # The stores' own files are for this user alone.
            if path.is_file() and path.parts[len(self.directory.parts)] not in (ONE, TWO):
                text = path.read_bytes().decode("latin-1")
                leaks.check_text(text, place=str(path))


@contextlib.contextmanager
def run_cluster(environment: Mapping[str, str], leaks: Leaks) -> Iterator[RayCluster]:
    """Stop what was started, and look at the files that it left."""
    # Ray's sockets are below it, and their paths may not be long.
    directory = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))  # noqa: S108
    cluster = RayCluster(directory, environment)
    try:
        yield cluster
        cluster.stop()
        cluster.check_files(leaks)
    finally:
        cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)


def make_connection(
    login: str, password: str, *, s3: str, sts: str, **settings: Any
) -> str:
    """Return the text of a connection with keys and a role."""
    return json.dumps(
        {
            "conn_type": "aws",
            "login": login,
            "password": password,
            "extra": {
                "role_arn": "arn:aws:iam::123456789012:role/reader",
                "region_name": "us-east-1",
                "endpoint_url": s3,
                "service_config": {"sts": {"endpoint_url": sts}},
                **settings,
            },
        }
    )


def take_environment(**more: str) -> dict[str, str]:
    """Return what a node has of this process, and `more`."""
    return {**os.environ, **more}
