"""Make the plugin on the worker to which it comes, or have that worker refuse its tasks.

A pickle names what it needs by module, which a worker without this package cannot
import: Dask would log that, and go on giving the worker tasks, which sign as the node.
So the functions here travel as code, by cloudpickle, and name nothing of ours until they
have seen that it is there.

Source: `distributed.worker.Worker.plugin_add` and `execute`, which looks for an executor
before each task, be it a function or a coroutine.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import cloudpickle
from distributed import WorkerPlugin
from distributed.core import error_message
from distributed.protocol import to_serialize

if TYPE_CHECKING:
    from collections.abc import Callable

    from distributed import Worker


class Arrival:
    """Makes a plugin where it is unpickled.

    Args:
        requirement: What pip installs where the package is missing; None for nothing.
    """

    def __init__(self, requirement: str | None) -> None:
        self._requirement = requirement

    def __call__(self, *arguments: Any) -> WorkerPlugin:
        """Do as what is unpickled does."""
        return arrive(self._requirement, *arguments)

    def __reduce__(self) -> tuple[Callable[[bytes], Any], tuple[bytes]]:
        module = sys.modules[__name__]
        cloudpickle.register_pickle_by_value(module)
        try:
            travelling = functools.partial(arrive, self._requirement)
            return cloudpickle.loads, (cloudpickle.dumps(travelling),)
        finally:
            cloudpickle.unregister_pickle_by_value(module)


def arrive(requirement: str | None, *arguments: Any) -> WorkerPlugin:
    """Return the plugin of the arguments, or one that has all tasks refused."""
    import importlib

    try:
        if requirement is not None:
            install_if_missing(requirement)
        ours = importlib.import_module("botocore_conn_provider.fleet.dask")
        plugin: WorkerPlugin = ours.receive(*arguments)
    except ImportError as error:
        said = (
            "This Dask worker cannot import botocore_conn_provider.fleet.dask"
            f" ({type(error).__name__}), so that it runs no task: one would use the"
            " node's own identity. Install botocore-conn-provider there, in the same"
            " version, or give ConnectionPlugin install_package=True; then restart the"
            " worker."
        )
        return RefusingPlugin(ImportError(said))
    except Exception as error:  # noqa: BLE001 - whatever it is, no task may run
        return RefusingPlugin(error)
    return plugin


class RefusingPlugin(WorkerPlugin):
    """Has a worker refuse its tasks."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def setup(self, worker: Worker) -> None:
        """Refuse from now on, and have Dask tell who registers the plugin."""
        refuse_tasks(worker, self._error)
        raise self._error


class NoExecutors(dict):  # type: ignore[type-arg] # it travels as code
    """In place of a worker's executors: who looks for one gets the error."""

    error: Exception

    def __getitem__(self, name: object) -> NoReturn:
        raise self.error.with_traceback(None)


def refuse_tasks(worker: Worker, error: Exception) -> None:
    """Have each task of the worker fail with the error, before any of its code runs.

    What goes by no executor is refused by itself: `Client.run`, and what the worker's
    actors of before are asked for.
    """

    async def refuse(*_: Any, **__: Any) -> Any:
        return error_message(error)  # what is raised loses its class on the way

    async def refuse_actor(*_: Any, **__: Any) -> Any:
        return {"status": "error", "exception": to_serialize(error)}

    none = NoExecutors(worker.executors)  # those, too: Dask shuts them when it closes
    none.error = error
    worker.executors = none
    worker.handlers.update(
        run=refuse,
        run_coroutine=refuse,
        actor_execute=refuse_actor,
        actor_attribute=refuse_actor,
    )


def install_if_missing(requirement: str) -> None:
    """Install the package where it is missing.

    Raises:
        RuntimeError: pip failed.
    """
    import contextlib
    import importlib
    import os
    import subprocess
    import tempfile

    package = "botocore_conn_provider"
    with contextlib.ExitStack() as locked:
        with contextlib.suppress(ImportError):  # Windows has no such lock
            import fcntl

            user = f"{package}-pip-{os.getuid()}.lock"
            path = os.path.join(tempfile.gettempdir(), user)  # noqa: PTH118
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            file = locked.enter_context(os.fdopen(os.open(path, flags, 0o600), "r+"))
            # The workers of a node share its packages, and pip locks nothing.
            fcntl.flock(file, fcntl.LOCK_EX)
        importlib.invalidate_caches()
        with contextlib.suppress(ImportError):
            importlib.import_module(package)
            return
        command = [sys.executable, "-m", "pip", "install", requirement]
        ended = subprocess.run(  # noqa: S603 - what the user gave to be installed
            command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False
        )
        if ended.returncode != 0:
            raise RuntimeError(
                "pip could not install botocore-conn-provider on this worker (exit"
                f" status {ended.returncode}); the worker's log has what it said."
            )
        importlib.invalidate_caches()
