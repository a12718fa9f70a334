"""What the tests of the engines need: `make test-engines` installs all of it.

They are never skipped: where something is missing, they fail with that command.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from botocore_conn_provider.cli.engine_table import ENGINES, PythonEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = "make test-engines"
# Where the session of noxfile.py installs it.
NODE_MODULES = str(Path(sys.prefix, "node", "node_modules"))
NODE_PACKAGE = "@aws-sdk/client-s3"
NEEDED = ("node", "strace")
# What installation and activation reach by themselves.
REACHED = {"botocore", "boto3", "aiobotocore", "s3fs", "polars"}
NOT_REACHED = {
    "polars with options",
    "pyarrow",
    "obstore",
    "deltalake",
    "lance",
    "daft",
    "awscrt",
    "DuckDB",
    "AWS CLI",
    "Node's SDK",
}
# Of those, what no Python program starts here.
PROGRAMS = {"AWS CLI", "Node's SDK"}
# Cannot be led to a metadata service on loopback.
BLIND = {"s3torchconnector"}


@functools.cache
def find_aws_cli() -> str | None:
    """Return the first version 2 on the path: version 1 is a program of a Python."""
    for folder in os.get_exec_path():
        path = shutil.which("aws", path=folder)
        if path is not None and b"aws-cli/2" in _run(path, "--version"):
            return path
    return None


def _run(*command: str) -> bytes:
    ended = subprocess.run(command, capture_output=True, check=False)
    return ended.stdout + ended.stderr


def list_missing() -> Iterator[str]:
    """Yield the names of what is not here."""
    for engine in ENGINES:
        if isinstance(engine, PythonEngine) and engine.find(os.environ) is None:
            yield engine.name
    if not _find_extensions().is_dir():
        yield "duckdb-ext-aws"
    if find_aws_cli() is None:
        yield "AWS CLI 2 (apt-get install awscli)"
    yield from (each for each in NEEDED if shutil.which(each) is None)
    if not Path(NODE_MODULES, NODE_PACKAGE).is_dir():
        yield NODE_PACKAGE


def lend_extensions(home: Path) -> None:
    """Have DuckDB find its extensions in a home directory, where a user has them."""
    (home / ".duckdb").mkdir()
    (home / ".duckdb" / "extensions").symlink_to(_find_extensions())


def _find_extensions() -> Path:
    found = importlib.util.find_spec("duckdb_ext")
    places = [] if found is None else found.submodule_search_locations or []
    return Path(*places[:1], "extensions")


def make_path(folder: Path) -> str:
    """Return a path with these programs and the system's, and no other `aws`."""
    folder.mkdir()
    for name, place in (("aws", find_aws_cli()), ("node", shutil.which("node"))):
        (folder / name).symlink_to(str(place))
    return os.pathsep.join([str(folder), os.defpath])
