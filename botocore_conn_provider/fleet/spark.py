"""Give the workers of a Spark cluster the connection.

    from botocore_conn_provider.fleet import spark
    from pyspark.sql import SparkSession

    session = spark.configure(SparkSession.builder, "aws_lake").getOrCreate()

The settings hold the connection's name, never keys. Each executor reads the connection
on its own node; the executors of a node share one exchange by the node's store.

Spark starts its Python workers by a module of ours, which sets them up and then runs
Spark's own. Where this package or the name is missing, that module is an error, which
ends the task: no worker goes on as its node.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from botocore_conn_provider.connection.environment import (
    CHANGES_VARIABLE,
    ConnectionName,
    current_environment,
)
from botocore_conn_provider.connection.process_changes import note_changes
from botocore_conn_provider.endpoint.request_rules import LOOPBACK
from botocore_conn_provider.endpoint.variables import FULL_URI, TOKEN_FILE
from botocore_conn_provider.errors import ConnProviderError
from botocore_conn_provider.fleet.driver import read_text_to_send, write_recipe
from botocore_conn_provider.fleet.recipe import Recipe
from botocore_conn_provider.fleet.spark_processes import NEXT_DAEMON_VARIABLE
from botocore_conn_provider.fleet.spark_sent import keep_from_logs
from botocore_conn_provider.fleet.worker import (
    change_worker_environment,
    start_worker,
)
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["configure", "list_settings", "send_connection"]

EXECUTOR_VARIABLE = "spark.executorEnv."
DAEMON_SETTING = "spark.python.daemon.module"
WORKER_SETTING = "spark.python.worker.module"
DAEMON = "botocore_conn_provider.fleet.spark_daemon"
WORKER = "botocore_conn_provider.fleet.spark_worker"
# It asks the node's endpoint and nothing else. The one of Hadoop that is named after
# instances (IAMInstanceCredentialsProvider) goes on to the machine's own role.
S3A_SETTING = "spark.hadoop.fs.s3a.aws.credentials.provider"
S3A_PROVIDER = "software.amazon.awssdk.auth.credentials.ContainerCredentialsProvider"
# There when spark-submit has started the JVM, and the JVM this program.
JVM_IS_THERE = "PYSPARK_GATEWAY_PORT"
PYTHONPATH_SETTING = f"{EXECUTOR_VARIABLE}PYTHONPATH"


class SettableBuilder(Protocol):
    """What `SparkSession.builder` has."""

    def config(self, key: str, value: str, /) -> Any:
        """Set one setting."""


B = TypeVar("B", bound=SettableBuilder)


@scrubbed
def configure(
    builder: B,
    conn_id: str,
    *,
    engines: bool = True,
    endpoint: str | None = None,
    token_file: str | None = None,
    start_spread_seconds: float = 0.0,
) -> B:
    """Have the Python workers of a session that is not made yet use the connection.

    Call it last, before `getOrCreate()`, so that it sees what else was set. It installs
    the connection in the driver, too, which runs `foreachBatch` and plans Python data
    sources, and from whose environment a local Spark starts.

    Args:
        builder: `SparkSession.builder`.
        conn_id: The connection, which is read on each node.
        engines: Whether polars, pyarrow and the like get it, too, and S3A: its
            credentials come from the node's endpoint, or it has none.
        endpoint: Where `botocore-conn serve --port N` serves the executors' JVM on each
            node: `http://127.0.0.1:N/credentials`.
        token_file: The path of that endpoint's token on each node (`--token-file`).
        start_spread_seconds: Over how long the first exchanges of the nodes are spread,
            where hundreds start in one moment: `docs/fleets.md`.

    Returns:
        The builder.

    Raises:
        InvalidConnectionError: `conn_id` is no id.
        ConnProviderError: Spark would not obey: a session is there already, or it is
            one of Spark Connect; or `endpoint` or `token_file` is wrong or missing.
    """
    settings = list_settings(
        conn_id,
        engines=engines,
        endpoint=endpoint,
        token_file=token_file,
        start_spread_seconds=start_spread_seconds,
    )
    chosen: Mapping[str, Any] = getattr(builder, "_options", {})
    _refuse_deaf_session(conn_id, chosen)
    start_worker(Recipe(conn_id, engines))
    for name, value in _fit(settings, chosen).items():
        builder.config(name, value)
    return builder


@scrubbed
def list_settings(
    conn_id: str,
    *,
    engines: bool = True,
    endpoint: str | None = None,
    token_file: str | None = None,
    start_spread_seconds: float = 0.0,
) -> dict[str, str]:
    """Return the same settings by name, as `spark-defaults.conf` has them.

    They hold no secret. `botocore-conn spark-conf` prints them.

    Args:
        conn_id: As for `configure`, like all others.
        engines: The same.
        endpoint: The same.
        token_file: The same.
        start_spread_seconds: The same.

    Raises:
        InvalidConnectionError: `conn_id` is no id.
        ConnProviderError: `endpoint` or `token_file` is wrong or missing.
    """
    recipe = write_recipe(
        conn_id, engines=engines, start_spread_seconds=start_spread_seconds
    )
    variables = recipe.list_variables()
    if endpoint is not None or token_file is not None:
        variables |= _lead_to_endpoint(conn_id, endpoint, token_file)
    settings = {EXECUTOR_VARIABLE + name: value for name, value in variables.items()}
    settings |= {DAEMON_SETTING: DAEMON, WORKER_SETTING: WORKER}
    if engines:
        settings[S3A_SETTING] = S3A_PROVIDER
    return settings


@scrubbed
def send_connection(session: Any, conn_id: str) -> None:
    """Send the connection's text, with its secrets, to the session's Python workers.

    For clusters whose nodes have no such connection. Spark hands it on with each task,
    to the environment of the executor's Python; it stands in no setting, and in no
    process's arguments. Only tasks that are made after this call have it. The JVM of an
    executor does not get it.

    Args:
        session: The SparkSession, which `configure` has set up.
        conn_id: The connection, as this process has it. It takes precedence over
            one that a node has by the same name.

    Raises:
        InvalidConnectionError: It is not in this process's environment, or is wrong.
    """
    text = read_text_to_send(conn_id)
    keep_from_logs()
    variable = ConnectionName(conn_id).variable
    session.sparkContext.environment[variable] = text.reveal()


def _lead_to_endpoint(
    conn_id: str, endpoint: str | None, token_file: str | None
) -> dict[str, str]:
    """Return the variables that lead a JVM to its node's endpoint.

    Python workers start from what was there before, as the noted changes say: a
    connection that builds on the node's identity would else build on itself.
    """
    if not endpoint or not endpoint.startswith(f"http://{LOOPBACK}:"):
        raise ConnProviderError(
            conn_id=conn_id,
            cause=f"'endpoint' does not begin with http://{LOOPBACK}:.",
            hint="Name the URL that `botocore-conn serve --port N` prints, or leave out"
            " both 'endpoint' and 'token_file'.",
        )
    if not token_file or not os.path.isabs(token_file):  # noqa: PTH117 - of a node
        raise ConnProviderError(
            conn_id=conn_id,
            cause="'token_file' is not an absolute path.",
            hint="Name the file of `botocore-conn serve --token-file FILE`, as it is"
            " called on each node.",
        )
    given = {FULL_URI: endpoint, TOKEN_FILE: token_file}
    return {**given, CHANGES_VARIABLE: note_changes({}, given)}


def _fit(settings: dict[str, str], chosen: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings beside what the user has chosen for the same session."""
    daemon = chosen.get(DAEMON_SETTING, DAEMON)
    if daemon != DAEMON:  # ours runs it in the place of Spark's
        settings[EXECUTOR_VARIABLE + NEXT_DAEMON_VARIABLE] = str(daemon)
    if S3A_SETTING in chosen:
        settings.pop(S3A_SETTING, None)
    if JVM_IS_THERE in current_environment():
        # It has started without our path, by which Spark's planning processes, which
        # run on the driver and not by our module, are activated.
        former = chosen.get(PYTHONPATH_SETTING)
        environ = dict(current_environment())
        if former is not None:
            environ["PYTHONPATH"] = str(former)
        change_worker_environment(environ, Recipe("any"))
        settings[PYTHONPATH_SETTING] = environ["PYTHONPATH"]
    return settings


def _refuse_deaf_session(conn_id: str, chosen: Mapping[str, Any]) -> None:
    """Refuse where Spark would take no notice of settings.

    Raises:
        ConnProviderError: There is a session, or a server has one.
    """
    if chosen.get("spark.remote") or current_environment().get("SPARK_REMOTE"):
        raise ConnProviderError(
            conn_id=conn_id,
            cause="a session of Spark Connect cannot set up the server's workers.",
            hint="Start the server with the settings that `botocore-conn spark-conf`"
            " prints.",
        )
    spark = sys.modules.get("pyspark")
    context = getattr(
        getattr(spark, "SparkContext", None), "_active_spark_context", None
    )
    if context is None:
        return
    wanted = EXECUTOR_VARIABLE + "BOTOCORE_CONN_ID"
    if context.getConf().get(wanted) != conn_id:
        raise ConnProviderError(
            conn_id=conn_id,
            cause="this process has a Spark session already, whose workers do not use"
            " this connection and take no new settings.",
            hint="Call configure() before the session is made, or stop() it first.",
        )
