"""Set up a worker process of Ray, before its first task.

Imports nothing outside the standard library and this package until the worker imports
boto or an engine: most tasks of a cluster never use AWS, and each worker would pay.

An error here ends the worker before it runs a task, which is what must happen where it
would sign as its node.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

from botocore_conn_provider.connection.environment import (
    CONN_ID_VARIABLE,
    ENGINES_VARIABLE,
    SETTING_PREFIX,
    is_yes,
)
from botocore_conn_provider.fleet.recipe import Recipe
from botocore_conn_provider.fleet.worker import change_worker_environment, start_worker
from botocore_conn_provider.startup.hook import (
    ENGINES,
    SESSIONS,
    arm,
    is_armed,
    is_wanted,
)

NEXT_HOOK_VARIABLE = f"{SETTING_PREFIX}NEXT_SETUP_HOOK"


def set_up() -> None:
    """Make the connection that the runtime environment names this process's.

    Raises:
        RuntimeError: There is none, or this process cannot be activated.
    """
    conn_id = os.environ.get(CONN_ID_VARIABLE, "").strip()
    if not conn_id:
        # A task's own env_vars come over those of the job.
        raise RuntimeError(
            f"{CONN_ID_VARIABLE} is empty in this runtime environment, so the worker"
            " would use its node's AWS identity. Leave it out of the task's env_vars."
        )
    recipe = Recipe(conn_id, is_yes(os.environ.get(ENGINES_VARIABLE, "")))
    if SESSIONS in sys.modules or not ENGINES.isdisjoint(sys.modules):
        start_worker(recipe)
    else:
        change_worker_environment(os.environ, recipe)
        _wait_for_boto()
    _run_next()


def _wait_for_boto() -> None:
    arm()
    if is_wanted() and not is_armed():
        raise RuntimeError("botocore-conn-provider could not watch this process.")


def _run_next() -> None:
    """Run the hook that the user named."""
    module, _, function = os.environ.get(NEXT_HOOK_VARIABLE, "").rpartition(".")
    if function:
        getattr(import_module(module), function)()
