"""A program that goes on reading by one engine, and what it tells."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Protocol

from tests.aws import Fault

if TYPE_CHECKING:
    import contextlib
    import subprocess

# Renewed after the half, and again and again while a test runs.
LIFE_SECONDS = 8
SHORT_LIVED = Fault(expires_in_seconds=LIFE_SECONDS)


class Reader:
    """A program that goes on reading by one engine."""

    def __init__(self, program: subprocess.Popen[str]) -> None:
        self._program = program
        self.errors = ""
        self.seen: list[dict[str, Any]] = []

    def read_until(self, wanted: str, *, most_seconds: float = 60) -> dict[str, Any]:
        """Return the next report that has the key."""
        ends = time.monotonic() + most_seconds
        while time.monotonic() < ends:
            report = self.read_next()
            if wanted in report:
                return report
        raise AssertionError(f"no {wanted} in {self.seen[-3:]}")

    def read_for(self, seconds: float) -> list[dict[str, Any]]:
        """Return the reports of the time from now on."""
        ends = time.monotonic() + seconds
        found = []
        while time.monotonic() < ends:
            found.append(self.read_next())
        return found

    def read_next(self) -> dict[str, Any]:
        assert self._program.stdout is not None
        line = self._program.stdout.readline()
        assert line, "the program has ended"
        report: dict[str, Any] = json.loads(line)
        self.seen.append(report)
        return report


class StartReader(Protocol):
    def __call__(self, name: str) -> contextlib.AbstractContextManager[Reader]: ...
