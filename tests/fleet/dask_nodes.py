"""A Dask cluster on this machine, whose nodes have a store each."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distributed import Client

from botocore_conn_provider.fleet.dask import ConnectionPlugin
from tests.child import DEADLINE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.aws import Aws
    from tests.engines.guarded_s3 import GuardedS3

CHECKOUT = Path(__file__).parents[2]
QUIETLY = {"PYTHONPATH": str(CHECKOUT), "DASK_DISTRIBUTED__WORKER__DAEMON": "false"}


class DaskNodes:
    """The processes of a cluster, which a test starts one by one.

    Attributes:
        environ: Of the processes that are started from now on.
    """

    def __init__(self, directory: Path, environ: Mapping[str, str]) -> None:
        self.directory = directory
        self.environ = {**environ, **QUIETLY}
        self._agents: dict[str, subprocess.Popen[bytes]] = {}
        self.address = ""

    @contextlib.contextmanager
    def run(self) -> Iterator[DaskNodes]:
        """Run the scheduler, and end everything in the end."""
        try:
            words = (
                "--host",
                "127.0.0.1",
                "--port",
                "0",
                "--dashboard-address",
                "127.0.0.1:0",
            )
            log = self._start("scheduler", "scheduler", *words)
            self.address = wait_until_written(log, r"tcp://127\.0\.0\.1:\d+")
            yield self
        finally:
            for agent in self._agents.values():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(agent.pid, signal.SIGKILL)
                agent.wait()

    @contextlib.contextmanager
    def connect(self) -> Iterator[Client]:
        """Be the driver."""
        with Client(self.address, timeout=DEADLINE_SECONDS) as client:
            yield client

    def start_node(
        self, name: str, *words: str, workers: int = 2, **environ: str
    ) -> None:
        """Start an agent with so many workers, of one thread each."""
        store = self.directory / f"store-{name}"
        store.mkdir(exist_ok=True)
        count = ("--nworkers", str(workers), "--nthreads", "1", "--name", name)
        place = ("--no-dashboard", "--local-directory", str(self.directory / name))
        self._start(
            name,
            "worker",
            self.address,
            *count,
            *place,
            *words,
            BOTOCORE_CONN_STORE=str(store),
            **environ,
        )

    def wait_until_ended(self, name: str) -> None:
        """Return when an agent has ended by itself."""
        self._agents[name].wait(DEADLINE_SECONDS)

    def kill_agent(self, name: str) -> None:
        """Kill a node's agent, and not its workers."""
        self._agents[name].kill()
        self._agents[name].wait()

    def _start(self, name: str, kind: str, *words: str, **environ: str) -> Path:
        log = self.directory / f"{name}.log"
        with log.open("wb") as file:
            self._agents[name] = subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_" + kind, *words],
                env={**self.environ, **environ},
                cwd=self.directory,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        return log

    def read_logs(self) -> str:
        """Return what all processes have written."""
        return "".join(path.read_text() for path in self.directory.glob("*.log"))


def wait_until_written(log: Path, pattern: str) -> str:
    """Return what a process has written, as soon as it has."""
    ends_at = time.monotonic() + DEADLINE_SECONDS
    while (found := re.search(pattern, log.read_text())) is None:
        assert time.monotonic() < ends_at, log.read_text()
        time.sleep(0.05)
    return found[0]


def register(client: Client, **options: Any) -> None:
    client.register_plugin(ConnectionPlugin("aws_lake", **options))


def check_identity(aws: Aws, s3: GuardedS3) -> None:
    """Fail unless all that was signed was signed with what STS issued, in time."""
    assert s3.judged
    assert s3.refusals == set()
    assert set(s3.key_ids) <= set(aws.issued)
