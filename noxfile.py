"""The environments beside `.venv`: the oldest hosts, each Python, aiobotocore, tools.

`make` runs the sessions it needs, and `nox --list` shows them. aiobotocore and the AWS
CLI pin a botocore each, so they cannot be where the newest botocore is tested.
"""

from __future__ import annotations

import json
import os
import shutil
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
ENGINES = "tests/engines"
SIGNERS = "tests/signers"
FLEET = "tests/fleet"
SUITES = json.loads(Path("tests/peers/suites.json").read_text())
EVERYTHING_ELSE = tuple(
    f"--ignore={each}" for each in (AIO, TOOLS, ENGINES, SIGNERS, FLEET)
)
# A process for each core. One that is done takes over from one that is not.
PARALLEL = ("--numprocesses=auto", "--dist=worksteal")

NPM_QUIETLY = ("--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")

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
def engines(session: nox.Session) -> None:
    """Run the engines that `whoami` tries: pyarrow, polars, the AWS CLI, Node's SDK."""
    session.install("-e", ".[test-engines]")
    node = Path(session.virtualenv.location, "node")
    node.mkdir(exist_ok=True)
    shutil.copy(f"{ENGINES}/node/package.json", node)
    session.chdir(node)
    session.run("npm", "install", *NPM_QUIETLY, external=True)
    session.chdir(session.invoked_from)
    session.run("pytest", *PARALLEL, ENGINES, *session.posargs)


# Nova Sonic's SDK needs 3.12: on an older Python its tests are left out.
@nox.session(python="3.12" if shutil.which("python3.12") else None)
def signers(session: nox.Session) -> None:
    """Run libraries that sign by themselves: OpenSearch, Kafka, databases, Bedrock."""
    session.install("-e", ".[test-signers]")
    session.run("pytest", *PARALLEL, SIGNERS, *session.posargs)


@nox.session
def fleet(session: nox.Session) -> None:
    """Run clusters of several processes: Dask, Ray, Spark."""
    session.install("-e", ".[test-fleet]")
    session.run("pytest", FLEET, *session.posargs)


@nox.session
@nox.parametrize("suite", list(SUITES), ids=list(SUITES))
def peers(session: nox.Session, suite: str) -> None:
    """Run a suite of others' with the product active; an argument has its checkout."""
    wanted = "".join(f"=={read_tag(session, sources)}" for sources in session.posargs)
    needs = (f"{SUITES[suite]['package']}{wanted}", *SUITES[suite]["needs"])
    session.install("-e", ".", "pytest", "pytest-xdist", *needs)
    session.run("python", "tests/peers/run.py", suite, *session.posargs)


def read_tag(session: nox.Session, sources: str) -> str:
    """Return the version that a checkout is of."""
    command = ("git", "-C", sources, "describe", "--tags", "--exact-match")
    found = session.run(*command, external=True, silent=True)
    return str(found).strip()
