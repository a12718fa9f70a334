"""The engines and programs that `whoami` tries: a table. To add one is to add a line.

Each has a probe, a small program in `probes` that uses it plainly for one request. It
is run as `PROBE ENDPOINT`; a probe that ends with `NOT_HERE` could not find its engine.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore_conn_provider.connection.environment import Environ

PROBES = Path(__file__).with_name("probes")
NOT_HERE = 77


class Runnable(NamedTuple):
    """An engine that is here. The version is None if only its request tells it."""

    command: tuple[str, ...]
    version: str | None = None


class PythonEngine(NamedTuple):
    """A module of the Python that runs this.

    `variables` are put into its probe's environment. `note` is told with the outcome.
    `asks_portals` tells that it asks AWS's sign-in portals directly, whatever the
    environment says.
    """

    name: str
    module: str
    probe: str
    distribution: str
    variables: Mapping[str, str] = {}
    note: str = ""
    asks_portals: bool = False

    def find(self, environ: Environ) -> Runnable | None:  # noqa: ARG002 - see Program
        """Return how to run its probe; None if it is not installed. Imports nothing."""
        if importlib.util.find_spec(self.module) is None:
            return None
        runner = PROBES / "run_probe.py"
        try:
            version = importlib.metadata.version(self.distribution)
        except importlib.metadata.PackageNotFoundError:
            version = None
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

# What lets the clients of object_store use an endpoint without TLS, without an option.
HTTP = {"AWS_ALLOW_HTTP": "true"}
# It knows no other address of the metadata service than AWS's own, which nobody is
# to ask here.
NO_METADATA = {"AWS_EC2_METADATA_DISABLED": "true"}
NO_TELEMETRY = {"DO_NOT_TRACK": "true", "DAFT_ANALYTICS_ENABLED": "0"}
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
    ),
    PythonEngine("pyarrow", "pyarrow", "pyarrow", "pyarrow", asks_portals=True),
    PythonEngine("obstore", "obstore", "obstore", "obstore", HTTP),
    PythonEngine(
        "deltalake",
        "deltalake",
        "deltalake",
        "deltalake",
        HTTP,
        "tried with an endpoint of its own; at AWS's it looks for credentials in"
        " another way",
    ),
    PythonEngine("lance", "lance", "lance", "pylance"),
    PythonEngine("daft", "daft", "daft", "daft", NO_TELEMETRY),
    PythonEngine("awscrt", "awscrt", "awscrt", "awscrt"),
    PythonEngine(
        "s3torchconnector",
        "s3torchconnectorclient",
        "s3torchconnector",
        "s3torchconnectorclient",
        NO_METADATA,
        "it asks for metadata at AWS's address only, which is not done here: no"
        " credentials may mean the machine's",
    ),
    PythonEngine("DuckDB", "duckdb", "duckdb", "duckdb", asks_portals=True),
    Program("AWS CLI", "aws", (*CLI_OPTIONS, "--endpoint-url"), {"AWS_PAGER": ""}),
    Program("Node's SDK", "node", (str(PROBES / "probe_node.cjs"),)),
)
