"""The engines and programs that `whoami` tries: a table. To add one is to add a line.

`doctor` and `lint` take from it what to do for an engine that finds credentials by
itself (`cli.neighbours`). Each has a probe, a small program in `probes` that uses it
plainly for one request. It is run as `PROBE ENDPOINT`; a probe that ends with
`NOT_HERE` could not find its engine.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from botocore_conn_provider.cli.installed_packages import read_one

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore_conn_provider.connection.environment import Environ

PROBES = Path(__file__).with_name("whoami") / "probes"
NOT_HERE = 77


class Runnable(NamedTuple):
    """An engine that is here. The version is None if only its request tells it."""

    command: tuple[str, ...]
    version: str | None = None


class PythonEngine(NamedTuple):
    """A module of the Python that runs this.

    `variables` are put into its probe's environment. `note` is told with the outcome.
    `asks_portals` tells that it asks AWS's sign-in portals directly, whatever the
    environment says. `advice` is what gives it the connection; empty for what asks
    botocore, which has it. `where` goes before, if it is not so everywhere.
    """

    name: str
    module: str
    probe: str
    distribution: str
    variables: Mapping[str, str] = {}
    note: str = ""
    asks_portals: bool = False
    advice: str = ""
    where: str = ""

    def find(self, environ: Environ) -> Runnable | None:  # noqa: ARG002 - see Program
        """Return how to run its probe; None if it is not installed. Imports nothing."""
        if not is_importable(self.module):
            return None
        runner = PROBES / "run_probe.py"
        found = read_one(self.distribution)
        version = None if found is None else found.version
        return Runnable((sys.executable, str(runner), self.probe), version)


class Program(NamedTuple):
    """A program on the path, with its arguments before the endpoint's URL."""

    name: str
    program: str
    arguments: tuple[str, ...]
    variables: Mapping[str, str] = {}
    note: str = ""
    asks_portals: bool = False

    def find(self, environ: Environ) -> Runnable | None:
        """Return how to run its probe; None if it is not on the path."""
        path = shutil.which(self.program, path=environ.get("PATH"))
        return None if path is None else Runnable((path, *self.arguments))


Engine = PythonEngine | Program


def is_importable(module: str) -> bool:
    """Return whether a top-level module can be imported. Imports nothing.

    A directory without code, such as one of that name where the command is run, is
    none.
    """
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):  # of a finder, or a module that was put there
        return False
    return spec is not None and spec.origin is not None


# What lets the clients of object_store use an endpoint without TLS, without an option.
HTTP = {"AWS_ALLOW_HTTP": "true"}
# It knows no other address of the metadata service than AWS's own, which nobody is
# to ask here.
NO_METADATA = {"AWS_EC2_METADATA_DISABLED": "true"}
NO_TELEMETRY = {"DO_NOT_TRACK": "true", "DAFT_ANALYTICS_ENABLED": "0"}
# What reaches any engine that looks at the environment. Some have a bridge besides.
ENGINES_ON = "install(engines=True), BOTOCORE_CONN_ENGINES=on or `botocore-conn exec`."
BY_ENDPOINT = f"Use {ENGINES_ON}"


def _advise_bridge(call: str) -> str:
    return f"Use bridges.{call}, or {ENGINES_ON}"


CLI_OPTIONS = ("s3api", "list-objects-v2", "--bucket=whoami", "--region=us-east-1")

ENGINES: tuple[Engine, ...] = (
    PythonEngine("botocore", "botocore", "botocore", "botocore"),
    PythonEngine("boto3", "boto3", "boto3", "boto3"),
    PythonEngine("aiobotocore", "aiobotocore", "aiobotocore", "aiobotocore"),
    PythonEngine("s3fs", "s3fs", "s3fs", "s3fs"),
    PythonEngine("polars", "polars", "polars", "polars", HTTP),
    PythonEngine(
        "polars with options",
        "polars",
        "polars_options",
        "polars",
        HTTP,
        "storage_options has a key that polars does not know, here aws_allow_http",
        advice=_advise_bridge("polars() as credential_provider"),
        where="where storage_options has a key that it does not know, as aws_allow_http",
    ),
    PythonEngine(
        "pyarrow",
        "pyarrow",
        "pyarrow",
        "pyarrow",
        asks_portals=True,
        advice=_advise_bridge("pyarrow() as filesystem"),
    ),
    PythonEngine(
        "obstore",
        "obstore",
        "obstore",
        "obstore",
        HTTP,
        advice=_advise_bridge("obstore() as credential_provider"),
    ),
    PythonEngine(
        "deltalake",
        "deltalake",
        "deltalake",
        "deltalake",
        HTTP,
        "tried with an endpoint of its own; at AWS's it looks for credentials in"
        " another way",
        advice=BY_ENDPOINT,
    ),
    PythonEngine(
        "lance",
        "lance",
        "lance",
        "pylance",
        advice=_advise_bridge("lance() as namespace_client"),
    ),
    PythonEngine(
        "daft",
        "daft",
        "daft",
        "daft",
        NO_TELEMETRY,
        advice=_advise_bridge("daft() as io_config"),
    ),
    PythonEngine(
        "awscrt", "awscrt", "awscrt", "awscrt", advice=_advise_bridge("awscrt()")
    ),
    PythonEngine(
        "s3torchconnector",
        "s3torchconnectorclient",
        "s3torchconnector",
        "s3torchconnectorclient",
        NO_METADATA,
        "it asks for metadata at AWS's address only, which is not done here: no"
        " credentials may mean the machine's",
        advice=BY_ENDPOINT,
    ),
    PythonEngine(
        "DuckDB",
        "duckdb",
        "duckdb",
        "duckdb",
        asks_portals=True,
        advice=_advise_bridge("duckdb(database)"),
    ),
    Program("AWS CLI", "aws", (*CLI_OPTIONS, "--endpoint-url"), {"AWS_PAGER": ""}),
    Program("Node's SDK", "node", (str(PROBES / "probe_node.cjs"),)),
)
