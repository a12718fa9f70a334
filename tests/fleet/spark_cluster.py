"""A standalone Spark cluster on this machine, with two nodes that have a store each."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyspark

from tests.child import DEADLINE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PYSPARK = Path(pyspark.__file__).parent
DRIVER = Path(__file__).with_name("spark_driver.py")
CHECKOUT = Path(__file__).parents[2]
NODES = ("node-a", "node-b")
CORES = 8
SMALL = {"SPARK_DAEMON_MEMORY": "256m", "SPARK_LOCAL_IP": "127.0.0.1"}


def wait_until_written(log: Path, pattern: str) -> str:
    """Return what a process has written, as soon as it has."""
    ends_at = time.monotonic() + DEADLINE_SECONDS
    while (found := re.search(pattern, log.read_text())) is None:
        assert time.monotonic() < ends_at, f"{pattern} was not written"
        time.sleep(0.05)
    return found[0]


class SparkNodes:
    """A master, and a worker for each node, which starts executors in its environment."""

    def __init__(self, directory: Path, environ: Mapping[str, str]) -> None:
        self.directory = directory
        self._environ = {**environ, **SMALL, "PYSPARK_PYTHON": sys.executable}
        self._processes: list[subprocess.Popen[bytes]] = []
        self.url = ""

    @contextlib.contextmanager
    def run(self) -> Iterator[SparkNodes]:
        """Run it, with the two nodes ready."""
        try:
            log = self._start("master", {}, "master.Master", "--port", "0")
            self.url = wait_until_written(log, r"spark://127\.0\.0\.1:\d+")
            for log in [self._start_node(name) for name in NODES]:
                wait_until_written(log, "Successfully registered with master")
            yield self
        finally:
            self._end()

    def _start_node(self, name: str) -> Path:
        environ = {"BOTOCORE_CONN_STORE": str(self.find_store(name))}
        words = ("--cores", str(CORES), "--memory", "1g", self.url)
        work = ("--work-dir", str(self.directory / name / "work"))
        return self._start(name, environ, "worker.Worker", *work, *words)

    def _start(
        self, name: str, environ: Mapping[str, str], kind: str, *words: str
    ) -> Path:
        (self.directory / name).mkdir(parents=True)
        log = self.directory / name / "log"
        with log.open("w") as file:
            process = subprocess.Popen(
                [
                    str(PYSPARK / "bin" / "spark-class"),
                    f"org.apache.spark.deploy.{kind}",
                    *("--host", "127.0.0.1", "--webui-port", "0"),
                    *words,
                ],
                env={**self._environ, "SPARK_HOME": str(PYSPARK), **environ},
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes.append(process)
        return log

    def _end(self) -> None:
        """End the nodes, whose executors end with them."""
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            process.wait(DEADLINE_SECONDS)

    def find_store(self, name: str) -> Path:
        return self.directory / name / "store"

    def forget(self) -> None:
        """Forget what the nodes have stored, and what their programs have written."""
        for name in NODES:
            shutil.rmtree(self.find_store(name), ignore_errors=True)
            shutil.rmtree(self.directory / name / "work", ignore_errors=True)

    def list_files(self) -> Iterator[Path]:
        """Yield what the cluster has written, but for the stores."""
        for path in self.directory.rglob("*"):
            if path.is_file() and "store" not in path.parts:
                yield path


class SparkDriver:
    """One driver process: `ask` has it do something."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self._process = process
        self._errors = errors

    def start(self, what: str, **arguments: Any) -> None:
        """Have it begin something."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
        self._process.stdin.flush()

    def wait(self) -> dict[str, Any]:
        """Return how it went: `said`, or `error`."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._errors.read_text()[-3000:]
        found: dict[str, Any] = json.loads(line)
        return found

    def ask(self, what: str, **arguments: Any) -> Any:
        """Return what it says.

        Raises:
            AssertionError: It failed.
        """
        self.start(what, **arguments)
        answer = self.wait()
        assert "error" not in answer, answer["error"]
        return answer["said"]

    def fail(self, what: str, **arguments: Any) -> str:
        """Return the error, which there must be."""
        self.start(what, **arguments)
        return str(self.wait()["error"])

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def errors(self) -> str:
        return self._errors.read_text()


@contextlib.contextmanager
def run_driver(
    directory: Path, environ: Mapping[str, str], options: Mapping[str, Any]
) -> Iterator[SparkDriver]:
    """Run a driver; it ends with the block, and its JVM with it."""
    errors = directory / f"driver-{time.monotonic_ns()}"
    with (
        errors.open("w") as file,
        subprocess.Popen(
            [sys.executable, str(DRIVER), json.dumps(options)],
            env={"PYSPARK_PYTHON": sys.executable, **environ, **SMALL},
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield SparkDriver(process, errors)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def list_arguments() -> str:
    """Return the arguments of all processes that may be seen here."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes().replace(b"\0", b" ").decode("latin-1"))
    return "\n".join(found)
