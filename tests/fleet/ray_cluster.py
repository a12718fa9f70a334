"""A Ray cluster of two nodes on this machine, each with a store of its own."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import ray
from ray.cluster_utils import Cluster
from ray.job_submission import JobStatus, JobSubmissionClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.leaks import Leaks

ONE, TWO = "node_one", "node_two"  # resources, by which a test says where a task runs

SOON = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 1000,
    "health_check_failure_threshold": 8,
}


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
        soon_missed: bool = False,
    ) -> None:
        """Start a node; the first says how soon Ray misses one that has died."""
        store = self.directory / name
        store.mkdir()
        first: dict[str, Any] = {}
        if not self.nodes:
            first["temp_dir"] = str(self.directory)
        if soon_missed:
            first["_system_config"] = SOON
        raylet = self._cluster.add_node(
            num_cpus=workers,
            resources={name: 1000},
            object_store_memory=80_000_000,
            env_vars={**self.environment, "BOTOCORE_CONN_STORE": str(store)},
            include_dashboard=dashboard,
            **first,
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

    def submit(self, command: str, runtime_env: dict[str, Any]) -> str:
        """Run a job to its end, and return its output."""
        address = self.nodes[ONE].raylet.webui_url
        client = JobSubmissionClient(f"http://{address}")
        job = client.submit_job(entrypoint=command, runtime_env=runtime_env)
        while not client.get_job_status(job).is_terminal():
            time.sleep(0.2)
        said = str(client.get_job_logs(job))
        assert client.get_job_status(job) == JobStatus.SUCCEEDED, said
        return said

    def stop(self) -> None:
        ray.shutdown()
        self._cluster.shutdown()

    def check_files(self, leaks: Leaks) -> None:
        """Fail if a file that Ray wrote shows a secret."""
        for path in self.directory.rglob("*"):
            # The stores' own files are for this user alone.
            if path.is_file() and path.parts[len(self.directory.parts)] not in (
                ONE,
                TWO,
            ):
                text = path.read_bytes().decode("latin-1")
                leaks.check_text(text, place=str(path))


@contextlib.contextmanager
def run_cluster(
    environment: Mapping[str, str], leaks: Leaks | None
) -> Iterator[RayCluster]:
    """Stop what was started, and look at the files that it left."""
    # Ray's sockets are below it, and their paths may not be long.
    directory = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))
    cluster = RayCluster(directory, environment)
    try:
        yield cluster
        cluster.stop()
        if leaks is not None:
            cluster.check_files(leaks)
    finally:
        cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)
