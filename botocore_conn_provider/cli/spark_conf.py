"""`spark-conf`: the settings of Spark by which its workers use the connection."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from botocore_conn_provider.cli import exit_codes as exits
from botocore_conn_provider.cli.arguments import add_conn_id
from botocore_conn_provider.connection.environment import (
    current_environment,
    name_connection,
)
from botocore_conn_provider.fleet.spark import list_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

SUMMARY = "print the settings by which Spark's workers use the connection"
DESCRIPTION = """\
Print settings for Spark. They hold the connection's name and no secret: each executor
reads the connection on its own node, where this package must be installed.

  submit    --conf NAME=VALUE, quoted for a shell (the default)
  defaults  lines of spark-defaults.conf

With --endpoint and --token-file, the executors' JVM (S3A) asks the `serve` of its
node."""
EPILOG = """\
examples:
  eval "spark-submit $(botocore-conn spark-conf --conn-id aws_lake) job.py"
  botocore-conn spark-conf --conn-id aws_lake --format defaults >> spark-defaults.conf
  botocore-conn spark-conf --endpoint http://127.0.0.1:9911/credentials \\
      --token-file /run/aws/token"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_conn_id(parser)
    parser.add_argument(
        "--no-engines",
        action="store_true",
        help="leave polars, pyarrow and the like, and S3A, as they are",
    )
    parser.add_argument(
        "--endpoint", metavar="URL", help="where `serve` is on each node"
    )
    parser.add_argument(
        "--token-file", metavar="FILE", help="its token's file on each node"
    )
    parser.add_argument(
        "--start-spread",
        metavar="SECONDS",
        type=float,
        default=0.0,
        help="spread the nodes' first exchanges over so long",
    )
    parser.add_argument(
        "--format", choices=tuple(FORMS), default="submit", help="the form"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the settings."""
    name = name_connection(current_environment(), arguments.conn_id)
    settings = list_settings(
        name.conn_id,
        engines=not arguments.no_engines,
        endpoint=arguments.endpoint,
        token_file=arguments.token_file,
        start_spread_seconds=arguments.start_spread,
    )
    sys.stdout.write(FORMS[arguments.format](settings))
    return exits.OK


def write_submit(settings: Mapping[str, str]) -> str:
    """Return arguments for spark-submit on one line."""
    words = [f"--conf {shlex.quote(f'{name}={settings[name]}')}" for name in settings]
    return " ".join(words) + "\n"


def write_defaults(settings: Mapping[str, str]) -> str:
    """Return lines of a properties file, in which a backslash begins an escape."""
    return "".join(
        f"{name} {value}\n".replace("\\", "\\\\") for name, value in settings.items()
    )


FORMS = {"submit": write_submit, "defaults": write_defaults}
