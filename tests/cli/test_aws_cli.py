"""The AWS CLI, version 1, in an environment where activation is on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import botocore_conn_provider

PACKAGE = Path(botocore_conn_provider.__file__).parent
AUTOLOAD = PACKAGE / "startup" / "autoload"
DEADLINE_SECONDS = 120

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_cli(aws_cli: Path, isolated: Path) -> Run:
    """Run the CLI with a connection that is broken."""
    path = os.pathsep.join(map(str, (AUTOLOAD, PACKAGE.parent)))
    # Help goes through groff, which is not on every machine.
    groff = isolated / "groff"
    groff.write_text("#!/bin/sh\nexec cat\n")
    groff.chmod(0o700)
    config = isolated / "config"
    config.write_text("[default]\nregion = eu-west-1\n")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [aws_cli, *words],
            env={
                **os.environ,
                "PYTHONPATH": path,
                "AIRFLOW_CONN_AWS_DEFAULT": '{"login": ',
                "AWS_CONFIG_FILE": str(config),
                "PATH": os.pathsep.join((str(isolated), os.environ["PATH"])),
                "PAGER": "cat",
            },
            cwd=isolated,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )

    return run


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--version"], "aws-cli/1."),
        (["help"], "Available Services"),
        (["s3", "help"], "Available Commands"),
        (["configure", "get", "region"], "eu-west-1"),
    ],
)
def test_tools_own_help_works_with_a_broken_connection(
    run_cli: Run, words: list[str], shown: str
) -> None:
    ended = run_cli(*words)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    assert shown.lower() in ended.stdout.lower()


def test_first_client_says_what_is_wrong_without_a_traceback(run_cli: Run) -> None:
    ended = run_cli("s3", "ls", "--region", "eu-west-1")
    assert ended.returncode != 0
    assert "Connection 'aws_default' (AIRFLOW_CONN_AWS_DEFAULT)" in ended.stderr
    assert "Traceback" not in ended.stderr
