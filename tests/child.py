"""Run Python in a process of its own, with the variables that a test names."""

from __future__ import annotations

import functools
import json
import os
import socket
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.forking_parent import Job

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.leaks import Leaks

# A child that hangs. Nothing is measured by it: a busy machine may take its time.
DEADLINE_SECONDS = 300
# For children whose loaded modules are looked at: coverage loads some of its own.
UNMEASURED: dict[str, str | None] = dict.fromkeys(
    ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START", "COVERAGE_FILE")
)


class Ended(NamedTuple):
    """How a child ended."""

    stdout: str
    stderr: str
    returncode: int


open_file = functools.partial(tempfile.TemporaryFile, "w+", encoding="utf-8")


class ForkingParent:
    """Hands programs to a process that has boto3 loaded already.

    Thread safety: a job is one datagram, and each has files and a socket of its own.
    """

    def __init__(self) -> None:
        self._jobs, theirs = socket.socketpair(type=socket.SOCK_DGRAM)
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forking_parent", str(number)],
                cwd=Path(__file__).parent.parent,
                pass_fds=(number,),
            )

    def run(self, job: Job) -> Ended:
        """Run a program to its end."""
        asker, told = socket.socketpair()
        with asker, open_file() as text, open_file() as stdout, open_file() as stderr:
            json.dump(job._asdict(), text)
            text.flush()
            with told:
                handed = [each.fileno() for each in (text, stdout, stderr, told)]
                socket.send_fds(self._jobs, [b"x"], handed)
            asker.settimeout(DEADLINE_SECONDS)
            returncode = int(asker.recv(16))
            stdout.seek(0)
            stderr.seek(0)
            return Ended(stdout.read(), stderr.read(), returncode)

    def close(self) -> None:
        """End the process. Children that still run go on."""
        self._jobs.close()
        self._process.kill()
        self._process.wait()


class Children:
    """Start children in an empty directory, where they find installed modules only.

    Their environment is this one's (isolated by then, and with what coverage
    needs to follow them) with `env` over it; None takes a variable away. What
    they print is looked at for secrets.
    """

    def __init__(self, leaks: Leaks, directory: Path) -> None:
        self._leaks = leaks
        self._directory = directory

    def __call__(
        self,
        code: str,
        *arguments: str,
        env: Mapping[str, str | None] | None = None,
        flags: tuple[str, ...] = (),
        parent: ForkingParent | None = None,
    ) -> Ended:
        """Run `code` (dedented first) to its end, as a fork of `parent` if given."""
        asked = {**os.environ, **(env or {})}
        environment = {
            name: value for name, value in asked.items() if value is not None
        }
        code = textwrap.dedent(code)
        if parent is not None:
            job = Job(code, list(arguments), environment, str(self._directory))
            return self._check(parent.run(job))
        ended = subprocess.run(
            [sys.executable, *flags, "-c", code, *arguments],
            env=environment,
            cwd=self._directory,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        return self._check(Ended(ended.stdout, ended.stderr, ended.returncode))

    def _check(self, ended: Ended) -> Ended:
        self._leaks.check_text(ended.stdout, place="a child's standard output")
        self._leaks.check_text(ended.stderr, place="a child's standard error")
        return ended
