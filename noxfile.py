"""The environments beside `.venv`: the oldest hosts, each Python, aiobotocore, tools.

`make` runs the sessions it needs, and `nox --list` shows them. aiobotocore and the AWS
CLI pin a botocore each, so they cannot be where the newest botocore is tested.
"""

from __future__ import annotations

import os
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"

PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
AIO = "tests/sessions/aio"
TOOLS = "tests/tools"
EVERYTHING_ELSE = (f"--ignore={AIO}", f"--ignore={TOOLS}")
# A process for each core. One that is done takes over from one that is not.
PARALLEL = ("--numprocesses=auto", "--dist=worksteal")

# Compiled once, or each of the tests' child processes would compile for itself.
os.environ["UV_COMPILE_BYTECODE"] = "1"
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# pyenv's own commands start only the versions that are switched on.
for found in Path.home().glob(".pyenv/versions/3.*/bin"):
    os.environ["PATH"] += f"{os.pathsep}{found}"


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run all tests of the newest hosts on one Python."""
    session.install("-e", ".[test-kerberos]")
    session.run("pytest", *PARALLEL, *EVERYTHING_ELSE, *session.posargs)


@nox.session
def oldest(session: nox.Session) -> None:
    """Run the same tests on the oldest hosts that we support."""
    session.install("-e", ".[test-kerberos]", "--constraint=tests/oldest.txt")
    session.run("pytest", *PARALLEL, *EVERYTHING_ELSE, *session.posargs)


@nox.session
def aio(session: nox.Session) -> None:
    """Run the tests of aiobotocore on the newest."""
    session.install("-e", ".[aio,test-kerberos]", f"--constraint={AIO}/newest.txt")
    session.run("pytest", AIO, *session.posargs)


@nox.session(name="aio-oldest")
def aio_oldest(session: nox.Session) -> None:
    """Run the tests of aiobotocore on the oldest that we support."""
    session.install("-e", ".[aio,test-kerberos]", f"--constraint={AIO}/oldest.txt")
    session.run("pytest", AIO, *session.posargs)


@nox.session
def tools(session: nox.Session) -> None:
    """Run users' tools: the AWS CLI, pandas with s3fs, aioboto3."""
    session.install("-e", ".[test-tools]")
    session.run("pytest", TOOLS, *session.posargs)


@nox.session
def peers(session: nox.Session) -> None:
    """Run botocore's unit suite with the product active; `BOTOCORE_SOURCES` has it."""
    sources = os.environ.get("BOTOCORE_SOURCES")
    wanted = f"=={read_version(Path(sources))}" if sources else ""
    # Those behind botocore are what its suite imports.
    session.install(
        "-e", ".", f"botocore{wanted}", "pytest", "pytest-xdist", "jsonschema"
    )
    session.run("python", "tests/peers/run.py", *([sources] if sources else []))


def read_version(sources: Path) -> str:
    """Return the version of a checkout of botocore."""
    text = (sources / "botocore" / "__init__.py").read_text()
    return text.partition("__version__ = '")[2].partition("'")[0]
