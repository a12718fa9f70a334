"""Give Ray's workers the connection, by the runtime environment of a job or a task.

Ray runs a hook in each worker process before it gives it a task. Ours makes the process
use the connection, and imports nothing of botocore while the worker does not. A worker
that cannot run it gets no task: Ray ends it and says why.

The hook is named by the variable that Ray itself makes of `worker_process_setup_hook`,
because Ray ignores that field, in silence, in the runtime environment of a single task
or actor.

Source: Ray's `_private/runtime_env/setup_hook.py` and `_private/workers/default_worker.py`.
Tried with Ray 2.60.0.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.errors import (
    InvalidConnectionError,
    MissingDependencyError,
    Problem,
)
from botocore_conn_provider.fleet.driver import read_text_to_send, write_recipe
from botocore_conn_provider.fleet.ray_sent import SentConnection
from botocore_conn_provider.fleet.ray_worker import NEXT_HOOK_VARIABLE, set_up
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["runtime_env"]

HOOK_FIELD = "worker_process_setup_hook"
HOOK = f"{set_up.__module__}.{set_up.__name__}"
TEXT_PREFIX = "AIRFLOW_CONN_"


@scrubbed
def runtime_env(
    conn_id: str,
    *,
    engines: bool = True,
    send_connection: bool = False,
    start_spread_seconds: float = 0.0,
    **fields: Any,
) -> dict[str, Any]:
    """Return a runtime environment whose workers use a connection.

    For `ray.init`, for a job that is submitted, and for single tasks and actors. It holds
    the connection's name. A worker reads the connection on its own node, when a
    task first needs it; what is wrong with it is an error of ours in that task. The
    workers of a node share one exchange. A node without this package runs no task.

    Args:
        conn_id: The connection.
        engines: Whether polars, pyarrow and the like get it, too.
        send_connection: Whether the driver sends the connection's text, with the
            secrets that are in it. It counts before one that a node has, and is for
            `ray.init` only. The text is in the cluster's control store (GCS) as long as
            the cluster runs, and in Redis where that backs it: all who can start a job
            on the cluster can read it there. It is not in the runtime environment, which Ray
            shows in its dashboard, lists and logs.
        start_spread_seconds: Over how long the first exchanges of the nodes are spread,
            where hundreds start in one moment: `docs/fleets.md`.
        fields: Other fields of the runtime environment, `env_vars` among them. A
            `worker_process_setup_hook` is run after ours; it must be an import path.

    Raises:
        InvalidConnectionError: `conn_id` is no id, or a field contradicts it.
        ConnectionNotFoundError: The connection is to be sent and is not there.
        MissingDependencyError: Ray is not installed, or has no such hook.

    Example:
        ray.init(runtime_env=fleet.ray.runtime_env("aws_lake", pip=["polars"]))
    """
    recipe = write_recipe(
        conn_id, engines=engines, start_spread_seconds=start_spread_seconds
    )
    given = dict(fields.pop("env_vars", None) or {})
    ours = recipe.list_variables()
    next_hook = fields.pop(HOOK_FIELD, None)
    problems = [*_find_contradictions(given, ours), *_judge_hook(next_hook)]
    if problems:
        raise InvalidConnectionError(conn_id=conn_id, problems=problems)
    if next_hook is not None:
        ours[NEXT_HOOK_VARIABLE] = next_hook
    if send_connection:
        fields[HOOK_FIELD] = SentConnection(conn_id, read_text_to_send(conn_id))
    else:
        ours[_name_hook_variable(conn_id)] = HOOK
    return {**fields, "env_vars": {**given, **ours}}


def _find_contradictions(
    given: Mapping[str, str], ours: Mapping[str, str]
) -> Iterator[Problem]:
    for name, value in given.items():
        if ours.get(name, value) != value:
            yield Problem(
                f"env_vars.{name}",
                "says otherwise than the arguments of runtime_env()",
                "Leave it out of env_vars.",
            )
        if name.startswith(TEXT_PREFIX):
            yield Problem(
                f"env_vars.{name}",
                "would show in Ray's dashboard and logs",
                "Set it in the environment of each node, or use send_connection=True.",
            )


def _judge_hook(hook: object) -> Iterator[Problem]:
    if hook is not None and not isinstance(hook, str):
        yield Problem(
            HOOK_FIELD,
            "is a function, and Ray runs only one",
            "Give its import path, package.module.function; it then runs after ours.",
        )


def _name_hook_variable(conn_id: str) -> str:
    """Return the name of the variable in which Ray's workers find the hook."""
    try:
        constants = import_module("ray._private.ray_constants")
        return str(constants.WORKER_PROCESS_SETUP_HOOK_ENV_VAR)
    except (ImportError, AttributeError):
        raise MissingDependencyError(
            conn_id=conn_id,
            cause="Ray is not installed here, or knows no worker_process_setup_hook.",
            hint="Run pip install ray, 2.5 or later.",
        ) from None
