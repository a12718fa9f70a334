"""Many processes of many threads around a renewal, over one store."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

WORKER = """
import os, sys, time, uuid, datetime, threading
from pathlib import Path
from botocore_conn_provider.exchange.flow import TemporaryCredentials
from botocore_conn_provider.sessions.credentials import KeptCredentials
from botocore_conn_provider.renewal.keeper import Keeper
from botocore_conn_provider.renewal.store.machine_store import MachineStore
from botocore_conn_provider.secret import Secret

place, issued, seconds, lifetime = sys.argv[1], Path(sys.argv[2]), *map(float, sys.argv[3:5])

def fetch(repeat):
    name = uuid.uuid4().hex
    time.sleep(0.2)
    (issued / name).touch()
    end = datetime.datetime.now(datetime.timezone.utc)
    end += datetime.timedelta(seconds=lifetime)
    return TemporaryCredentials(name, Secret("s" + name), Secret("t" + name), end)

keeper = Keeper(fetch, conn_id="x", store=MachineStore(Path(place), "f"))
kept = KeptCredentials(keeper, method="m", recipe=(str, ()))
mixed, ends = [], time.monotonic() + seconds

def use():
    while time.monotonic() < ends:
        frozen = kept.get_frozen_credentials()
        if frozen[1:3] != ("s" + frozen[0], "t" + frozen[0]):
            mixed.append(frozen)
        time.sleep(0.02)

threads = [threading.Thread(target=use) for _ in range(int(sys.argv[5]))]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
sys.exit(1 if mixed else 0)
"""


def run_crowd(
    directory: Path, *, processes: int, threads: int, seconds: float, lifetime: float
) -> int:
    """Return how many sets were issued. Fails on a mixed set, an error, a deadlock."""
    issued = directory / "issued"
    issued.mkdir()
    options = [str(directory / "store"), str(issued)]
    options += [str(seconds), str(lifetime), str(threads)]
    crowd = [
        subprocess.Popen([sys.executable, "-c", WORKER, *options], env=os.environ)
        for _ in range(processes)
    ]
    try:
        assert [worker.wait(seconds + 60) for worker in crowd] == [0] * processes
    finally:
        for worker in crowd:
            worker.kill()
    return len(list(issued.iterdir()))


def test_crowd_on_an_empty_store_asks_once(tmp_path: Path) -> None:
    issued = run_crowd(tmp_path, processes=8, threads=8, seconds=2, lifetime=3600)
    assert issued == 1


def test_crowd_around_a_renewal_asks_once_each_time(tmp_path: Path) -> None:
    # Renewal is due after 10 s at the earliest: at most one within the run.
    issued = run_crowd(tmp_path, processes=4, threads=16, seconds=14, lifetime=16)
    assert 2 <= issued <= 3
