"""Interpreters started as users start them, with activation by one way or another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import botocore_conn_provider
from tests.child import DEADLINE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGE = Path(botocore_conn_provider.__file__).parent
AUTOLOAD = PACKAGE / "startup" / "autoload"
KEY = "AKIAACTIVATEDFROMSTART"
REGION = "eu-central-1"
EXTRA = json.dumps({"region_name": REGION})
CONNECTION = {
    "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(
        {"conn_type": "aws", "login": KEY, "password": "x" * 40, "extra": EXTRA}
    )
}
USED = f"{KEY} {REGION}"
# Whose connection a new client has: "KEY REGION", or what botocore's own finds.
USE = """
import botocore.session
session = botocore.session.Session()
session.get_component("credential_provider").remove("iam-role")
client = session.create_client("s3", region_name=None)
found = session.get_credentials()
print(found and found.access_key, client.meta.region_name)
"""
UNUSED = "None us-east-1"
IS_ARMED = """
import sys
print(sum(type(f).__name__ == "BotocoreWatch" for f in sys.meta_path))
"""


class Interpreter:
    """Run programs on one interpreter and return what they print, all of it."""

    def __init__(self, python: Path | str, directory: Path) -> None:
        self.python = python
        self.directory = directory

    def __call__(
        self,
        program: str,
        *flags: str,
        path: tuple[Path | str, ...] = (),
        env: Mapping[str, str | None] | None = None,
    ) -> str:
        """Run `program`; standard error counts as output, so silence is tested too."""
        return self.run(
            [str(self.python), *flags, "-c", textwrap.dedent(program)],
            path=path,
            env=env,
        )

    def run(
        self,
        command: list[str],
        *,
        path: tuple[Path | str, ...] = (),
        env: Mapping[str, str | None] | None = None,
    ) -> str:
        """Run a command under the connection and `PYTHONPATH`."""
        search = {"PYTHONPATH": os.pathsep.join(map(str, path))} if path else {}
        asked = {**os.environ, **search, **CONNECTION, **(env or {})}
        ended = subprocess.run(
            command,
            env={name: value for name, value in asked.items() if value is not None},
            cwd=self.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        return ended.stdout.strip()


@pytest.fixture
def interpreter(tmp_path: Path) -> Interpreter:
    """Use the interpreter that runs the tests."""
    directory = tmp_path / "here"
    directory.mkdir()
    return Interpreter(sys.executable, directory)


@pytest.fixture
def environment(tmp_path: Path) -> Interpreter:
    """Use a virtual environment of its own, which sees what is installed here."""
    home = tmp_path / "environment"
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", "--symlinks", str(home)],
        check=True,
        timeout=DEADLINE_SECONDS,
    )
    python = Interpreter(home / "bin" / "python", tmp_path)
    # An "a" is read before our own file: site reads them in order.
    seen = f"{sysconfig.get_path('purelib')}\n{PACKAGE.parent}\n"
    (find_site(python) / "a.pth").write_text(seen)
    return python


def find_site(python: Interpreter) -> Path:
    """Return its site-packages."""
    return Path(python("import sysconfig; print(sysconfig.get_path('purelib'))"))
