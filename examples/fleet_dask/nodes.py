"""Two nodes of a cluster on this machine: what makes them two is the store of each."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COMMAND = (sys.executable, "-m", "botocore_conn_provider", "top", "--json")


class Ask(NamedTuple):
    """What a node's store says of its last exchange, and of all so far."""

    total: int
    pid: int
    seconds_left: float


class Node:
    """A node, as `botocore-conn top` shows it."""

    def __init__(self, name: str, store: Path) -> None:
        self.name = name
        self.store = store

    def look(self) -> Ask | None:
        """Return what the node's store says; None before the first exchange."""
        ended = subprocess.run(  # noqa: S603 - our own command
            COMMAND,
            env={**os.environ, "BOTOCORE_CONN_STORE": str(self.store)},
            capture_output=True,
            check=False,
        )
        found: list[dict[str, Any]] = []
        with contextlib.suppress(ValueError):
            found = json.loads(ended.stdout)["connections"]
        for each in found:
            last = each["last_renewal"]
            if last is not None:
                return Ask(each["asks"]["total"], last["pid"], each["seconds_left"])
        return None


@contextlib.contextmanager
def run_nodes(
    scheduler: str, directory: Path, environ: Mapping[str, str], *, workers: int
) -> Iterator[list[Node]]:
    """Run a nanny on each of two nodes, with so many workers of one thread."""
    nodes, agents = [], []
    try:
        for name in ("node-1", "node-2"):
            node = Node(name, directory / f"store-{name}")
            node.store.mkdir(mode=0o700)
            nodes.append(node)
            count = ("--nworkers", str(workers))
            agents.append(_start((scheduler, *count), node, directory, environ))
        yield nodes
    finally:
        for agent in agents:
            agent.terminate()
        for agent in agents:
            with contextlib.suppress(subprocess.TimeoutExpired):
                agent.wait(20)
            agent.kill()


def _start(  # noqa: PLR0917 - called once
    words: tuple[str, ...], node: Node, directory: Path, environ: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    with (directory / f"{node.name}.log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - this Python
            [
                *(sys.executable, "-m", "distributed.cli.dask_worker", *words),
                *("--nthreads", "1", "--name", node.name),
                *("--no-dashboard", "--local-directory", str(directory / node.name)),
            ],
            env={
                **environ,
                "BOTOCORE_CONN_STORE": str(node.store),
                "PYTHONPATH": str(Path(__file__).parent),
            },
            stdout=log,
            stderr=log,
        )
