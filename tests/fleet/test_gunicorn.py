"""gunicorn's workers use the connection: forked before or after the program is loaded."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

from tests.aws import Fault
from tests.fleet.machine import (
    make_text,
    run_machine,
    serve_table,
    wait_until,
)
from tests.loopback import LOOPBACK
from tests.startup.conftest import AUTOLOAD

if TYPE_CHECKING:
    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets

WORKERS = 3
CHECKOUT = Path(__file__).parents[2]
COMMAND = (
    *(sys.executable, "-m", "gunicorn", f"--workers={WORKERS}", "--log-level=info"),
    "tests.fleet.gunicorn_application:application",
)


class Site:
    """A running gunicorn, and what it has answered."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.answers: list[dict[str, Any]] = []

    def ask(self, path: str) -> dict[str, Any]:
        with urlopen(f"http://{LOOPBACK}:{self._port}{path}", timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
        self.answers.append(found)
        return found

    @property
    def processes(self) -> set[int]:
        return {each["process"] for each in self.answers}

    @property
    def errors(self) -> list[str]:
        return [each["error"] for each in self.answers if "error" in each]


@pytest.mark.parametrize(
    "options", [(), ("--preload",), ("--preload", "--daemon")], ids=" ".join
)
def test_workers_share_one_exchange_across_a_renewal_and_a_killed_worker(
    options: tuple[str, ...], aws: Aws, secrets: Secrets, leaks: Leaks, tmp_path: Path
) -> None:
    log, pid_file = tmp_path / "log", tmp_path / "pid"
    aws.inject(Fault(expires_in_seconds=30))
    aws.inject(Fault(expires_in_seconds=14), times=1000)
    with (
        serve_table(aws) as s3,
        run_machine(s3, secrets) as machine,
        socket.create_server((LOOPBACK, 0)) as listening,
    ):
        site = Site(listening.getsockname()[1])
        text = make_text(aws, secrets, s3, advisory_seconds=10, mandatory_seconds=2)
        environment = {
            **machine,
            "AIRFLOW_CONN_AWS_DEFAULT": text,
            "BOTOCORE_CONN_ENGINES": "1",
            "BOTOCORE_CONN_STORE": str(tmp_path / "store"),
            "PYTHONPATH": os.pathsep.join([str(AUTOLOAD), str(CHECKOUT)]),
        }
        files = (f"--pid={pid_file}", f"--error-logfile={log}")
        command = [*COMMAND, *options, *files, f"--bind=fd://{listening.fileno()}"]
        with subprocess.Popen(
            command, env=environment, cwd=CHECKOUT, pass_fds=[listening.fileno()]
        ):
            try:
                wait_until(pid_file.exists, log=log)
                wait_until(
                    lambda: bool(site.ask("/")) and len(site.processes) == WORKERS,
                    log=log,
                )
                asked = len(aws.issued)
                killed = site.processes.pop()
                os.kill(killed, signal.SIGKILL)
                wait_until(lambda: bool(site.ask("/polars")) and len(aws.issued) > 1)
                wait_until(
                    lambda: bool(site.ask("/polars")) and len(site.processes) > WORKERS
                )
            finally:
                if pid_file.exists():
                    os.kill(int(pid_file.read_text()), signal.SIGTERM)
                    wait_until(lambda: not pid_file.exists())

    assert site.errors == []
    assert asked == 1
    assert s3.refusals == set()
    assert set(s3.key_ids) <= set(aws.issued)
    leaks.check_text(log.read_text(), place="gunicorn's log")
