"""Set up a Python process that Spark starts, then run Spark's own module in it.

A daemon is set up before it forks its workers, so they share its endpoint, and each of
them has credentials of its own. Nothing is printed: Spark reads the daemon's standard
output. An error here is one of the task, with what this wrote to standard error.
"""

from __future__ import annotations

import runpy
import sys

from botocore_conn_provider.connection.environment import (
    CONN_ID_VARIABLE,
    ENGINES_VARIABLE,
    SETTING_PREFIX,
    current_environment,
    is_yes,
    name_connection,
)
from botocore_conn_provider.fleet.recipe import Recipe
from botocore_conn_provider.fleet.worker import start_worker

# The daemon that the user has chosen in place of Spark's.
NEXT_DAEMON_VARIABLE = f"{SETTING_PREFIX}SPARK_DAEMON"
NEXT_DAEMON, NEXT_WORKER = "pyspark.daemon", "pyspark.worker"
UNNAMED = (
    f"botocore-conn-provider: {CONN_ID_VARIABLE} is not set for this Python worker, so it"
    f" does not start. Set spark.executorEnv.{CONN_ID_VARIABLE}, as `botocore-conn"
    " spark-conf` prints it."
)


def run_daemon() -> None:
    """Be the daemon that forks an executor's Python workers."""
    run_set_up(current_environment().get(NEXT_DAEMON_VARIABLE) or NEXT_DAEMON)


def run_worker() -> None:
    """Be the only Python worker of its process (`spark.python.use.daemon=false`)."""
    run_set_up(NEXT_WORKER)


def run_set_up(module: str) -> None:
    """Run a module as Spark would, with the connection that the environment names.

    Raises:
        SystemExit: It names none; or when the module ends.
        InvalidConnectionError: The name is none.
    """
    environ = current_environment()
    name = name_connection(environ)
    if name.named_by is None:
        sys.exit(UNNAMED)
    start_worker(Recipe(name.conn_id, is_yes(environ.get(ENGINES_VARIABLE, ""))))
    runpy.run_module(module, run_name="__main__", alter_sys=True)
