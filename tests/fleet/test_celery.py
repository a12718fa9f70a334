"""Celery's prefork pool, with SQS as the broker and no keys in its URL."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.aws import Fault
from tests.fleet.machine import make_text, run_machine, serve_table, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets

APPLICATION = "tests.fleet.celery_application"
CHECKOUT = Path(__file__).parents[2]
WORKER = (
    *(sys.executable, "-m", "celery", "-A", APPLICATION, "worker"),
    *("--pool=prefork", "--concurrency=3", "--loglevel=INFO", "-Ofair"),
)


@contextlib.contextmanager
def run_worker(environment: Mapping[str, str], log: Path) -> Iterator[None]:
    with (
        log.open("w") as file,
        subprocess.Popen(
            WORKER, env=environment, cwd=CHECKOUT, stdout=file, stderr=file
        ) as worker,
    ):
        try:
            yield
        finally:
            worker.terminate()
            worker.wait()


def test_broker_and_pool_exchange_once_each_across_renewals_and_a_killed_process(
    aws: Aws, secrets: Secrets, leaks: Leaks, tmp_path: Path
) -> None:
    notes, log = tmp_path / "notes", tmp_path / "log"
    notes.mkdir()
    # Longer than a busy machine takes to start, so that no renewal is counted with these.
    aws.inject(Fault(expires_in_seconds=60), times=2)
    aws.inject(Fault(expires_in_seconds=14), times=1000)
    with serve_table(aws) as guarded, run_machine(guarded, secrets) as machine:
        text = make_text(
            aws, secrets, guarded, advisory_seconds=10, mandatory_seconds=2
        )
        environment = {
            **machine,
            "AIRFLOW_CONN_AWS_JOBS": text,
            "BOTOCORE_CONN_STORE": str(tmp_path / "store"),
            "TEST_NOTES": str(notes),
        }

        def send(first: int, end: int) -> None:
            command = [sys.executable, "-m", APPLICATION, str(first), str(end)]
            subprocess.run(command, env=environment, cwd=CHECKOUT, check=True)

        def wait_for(count: int) -> None:
            wait_until(lambda: len(list(notes.iterdir())) == count, log=log)

        send(0, 12)
        with run_worker(environment, log):
            wait_for(12)
            processes = {each.read_text() for each in notes.iterdir()}
            asked = len(aws.issued)
            os.kill(int(processes.pop()), signal.SIGKILL)
            wait_until(lambda: len(aws.issued) > asked, log=log)
            send(12, 24)
            wait_for(24)

    assert processes, "one process has done it all"
    # kombu's session names its region, which makes it another identity.
    assert asked == 2
    assert guarded.refusals == set()
    assert set(guarded.key_ids) <= set(aws.issued)
    leaks.check_text(log.read_text(), place="the worker's log")
