"""Run `botocore-conn serve` as a process, and programs beside it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from tests.endpoint.asking import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets

ROLE = "arn:aws:iam::123456789012:role/reader"
# A process that hangs. Nothing is measured by it.
DEADLINE_SECONDS = 120
ASK = (
    "import boto3, os; boto3.client('s3', endpoint_url=os.environ['TEST_AWS'])"
    ".list_buckets()"
)


def wait_until(is_true: Callable[[], object]) -> None:
    """Return as soon as it is."""
    ends_at = time.monotonic() + DEADLINE_SECONDS
    while not is_true():
        assert time.monotonic() < ends_at, "it did not happen"
        time.sleep(0.02)


class Serving:
    """One process of `serve`."""

    def __init__(
        self, directory: Path, environ: Mapping[str, str], words: tuple[str, ...]
    ) -> None:
        self.ready = directory / "ready"
        self._out, self._err = directory / "out", directory / "err"
        command = [sys.executable, "-m", "botocore_conn_provider", "serve"]
        if "--ready-file" not in words:
            words = (*words, "--ready-file", str(self.ready))
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(
                [*command, *words], env=environ, cwd=directory, stdout=out, stderr=err
            )

    @property
    def out(self) -> str:
        return self._out.read_text()

    @property
    def err(self) -> str:
        return self._err.read_text()

    def wait_until_ready(self) -> Serving:
        def is_settled() -> bool:
            return self.ready.exists() or self.process.poll() is not None

        wait_until(is_settled)
        assert self.process.poll() is None, self.err
        return self

    def wait(self) -> int:
        """Return the exit code."""
        return self.process.wait(DEADLINE_SECONDS)

    def end(self, number: int = signal.SIGTERM) -> int:
        """End it by a signal, and return the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def read_variables(self) -> dict[str, str]:
        """Return what a shell exports that reads the ready file, and nothing more."""
        shown = subprocess.run(
            ["/bin/sh", "-ec", f". {shlex.quote(str(self.ready))}; env -0"],
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
        )
        named = dict(each.split("=", 1) for each in shown.stdout.split("\0") if each)
        return {name: named[name] for name in named if name not in ("PATH", "PWD", "_")}


def get(port: int, path: str, token: str | None = None) -> Reply:
    """Ask for a path."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        headers = {} if token is None else {"Authorization": token}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return Reply(answer.status, json.loads(answer.read()), dict(answer.headers))


def find_port(variables: Mapping[str, Any]) -> int:
    """Return the port that the variables name."""
    url = variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    return int(url.removeprefix("http://127.0.0.1:").partition("/")[0])


class Neighbourhood:
    """Starts `serve` and its neighbours; ends all of them, and looks for secrets."""

    def __init__(
        self, directory: Path, aws: Aws, secrets: Secrets, leaks: Leaks
    ) -> None:
        self.directory = directory
        self.aws = aws
        self.temporary = directory / "tmp"
        self.temporary.mkdir()
        self.secrets = secrets
        self.key_id = secrets.new_access_key_id()
        self.secret = secrets.new("secret key of the connection")
        self.environ = {
            **os.environ,
            "TMPDIR": str(self.temporary),
            "BOTOCORE_CONN_STORE": "off",
            "TEST_AWS": aws.url,
        }
        self.connect(role_arn=ROLE)
        self._leaks = leaks
        self._started: list[Serving] = []

    def connect(self, **extra: Any) -> None:
        """Choose the connection of the next one."""
        sts = {"sts": {"endpoint_url": self.aws.url}}
        self.environ["AIRFLOW_CONN_AWS_DEFAULT"] = json.dumps(
            {
                "conn_type": "aws",
                "login": self.key_id,
                "password": self.secret,
                "extra": {"region_name": "eu-west-1", "service_config": sts, **extra},
            }
        )

    def start(self, *words: str) -> Serving:
        """Start one, and return at once."""
        place = self.directory / f"serve-{len(self._started)}"
        place.mkdir()
        serving = Serving(place, self.environ, words)
        self._started.append(serving)
        return serving

    def serve(self, *words: str) -> Serving:
        """Start one, and return when it is ready."""
        return self.start(*words).wait_until_ready()

    def run_in_shell(self, serving: Serving, **environ: str) -> None:
        """Have a shell read the lines, and a program with boto3 alone use them."""
        subprocess.run(
            [
                "/bin/sh",
                "-euc",
                f'. {shlex.quote(str(serving.ready))}; exec "$0" -c "$1"',
                sys.executable,
                ASK,
            ],
            env={**os.environ, "TEST_AWS": self.aws.url, **environ},
            check=True,
            timeout=DEADLINE_SECONDS,
        )

    def run(self, environ: Mapping[str, str]) -> None:
        """Run a program with boto3 alone."""
        subprocess.run(
            [sys.executable, "-c", ASK],
            env={"PATH": os.environ["PATH"], "TEST_AWS": self.aws.url, **environ},
            check=True,
            timeout=DEADLINE_SECONDS,
        )

    @property
    def signers(self) -> list[str | None]:
        """The keys that requests to S3 were signed with, in their order."""
        return [each.access_key_id for each in self.aws.requests if not each.is_sts]

    @contextlib.contextmanager
    def opened(self) -> Iterator[Neighbourhood]:
        try:
            yield self
        finally:
            for each in self._started:
                each.process.kill()
                each.process.wait()
        for each in self._started:
            self._leaks.check_text(each.out, place="standard output")
            self._leaks.check_text(each.err, place="standard error")
