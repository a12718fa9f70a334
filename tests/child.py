"""Run Python in a process of its own, with the variables that a test names."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

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
    ) -> Ended:
        """Run `code` (dedented first) to its end."""
        asked = {**os.environ, **(env or {})}
        ended = subprocess.run(
            [sys.executable, *flags, "-c", textwrap.dedent(code), *arguments],
            env={name: value for name, value in asked.items() if value is not None},
            cwd=self._directory,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        self._leaks.check_text(ended.stdout, place="a child's standard output")
        self._leaks.check_text(ended.stderr, place="a child's standard error")
        return Ended(ended.stdout, ended.stderr, ended.returncode)
