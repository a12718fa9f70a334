"""Give Dask's workers the connection.

    from botocore_conn_provider.fleet.dask import ConnectionPlugin

    client.register_plugin(ConnectionPlugin("aws_lake"))

It is a plugin of the workers and not of their nannies: a worker without a nanny gets the
connection, too, and one that joins later, or is restarted by its nanny, gets it before
its first task.

Source: `distributed.worker.Worker.plugin_add` and `close_gracefully`. Tried with
distributed 2026.8.0.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from distributed import Status, WorkerPlugin

from botocore_conn_provider import __version__
from botocore_conn_provider.errors import ConnProviderError, CredentialFetchError
from botocore_conn_provider.fleet.dask_arrival import Arrival, refuse_tasks
from botocore_conn_provider.fleet.driver import read_text_to_send, write_recipe
from botocore_conn_provider.fleet.worker import start_worker
from botocore_conn_provider.secret import Secret
from botocore_conn_provider.sessions.installation import find_installed
from botocore_conn_provider.startup.hook import ENGINES, SESSIONS
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from distributed import Worker

__all__ = ["ConnectionPlugin"]

# How long the answer to the driver may take on its way.
ANSWERED_SECONDS = 1.0
IN_THE_DRIVER = "inproc://"
CALL_INSTALL = (
    "Call botocore_conn_provider.install() there before you register the plugin, or"
    " start the workers as processes: LocalCluster(processes=True)."
)
RESTART_IT = (
    "It has no nanny to restart it. Restart it, or register the plugin before the"
    " first task."
)
# Dask imports pyarrow by itself; its second module here talks to S3.
OF_PYARROW, OF_PYARROW_FOR_S3 = "pyarrow", "pyarrow._s3fs"


class ConnectionPlugin(WorkerPlugin):
    """Has the workers of a cluster use a connection, for `Client.register_plugin`.

    What is sent is the connection's name. A worker reads the connection on its own node when
    a task first needs it; what is wrong with it is an error of ours in that task. The
    workers of a node share one exchange. Registered again with another name, it
    counts from then on; unregistered, it leaves the workers as they are.

    A worker that has used AWS before it gets the plugin may have clients of another
    identity. Its nanny restarts it, once its running tasks have ended; without a
    nanny it runs no further task. A worker that cannot be set up, or that does not
    have this package, runs none either: each fails with an error that says why. So do
    the tasks in the driver's own process (`LocalCluster(processes=False)`), unless the
    program has called `install()` itself.

    Args:
        conn_id: The connection.
        engines: Whether polars, pyarrow and the like get it, too.
        send_connection: Whether the driver sends the connection's text, with the
            secrets that are in it. It takes precedence over one that a node has by the
            same name. The scheduler keeps it in memory, and everyone who can connect to the
            scheduler can read it there; use TLS between the processes.
        install_package: What pip installs on workers that do not have this package,
            such as `botocore-conn-provider[saml]`; True for this version without
            extras. pip must be there.
        start_spread_seconds: Over how long the first exchanges of the nodes are spread,
            where hundreds start in one moment: `docs/fleets.md`.

    Raises:
        InvalidConnectionError: `conn_id` is no id, or the connection to send is wrong.
        ConnectionNotFoundError: The connection to send is not in this process.

    Example:
        client.register_plugin(ConnectionPlugin("aws_lake"))
    """

    name = "botocore-conn-provider"

    @scrubbed
    def __init__(
        self,
        conn_id: str,
        *,
        engines: bool = True,
        send_connection: bool = False,
        install_package: str | bool = False,
        start_spread_seconds: float = 0.0,
    ) -> None:
        self._recipe = write_recipe(
            conn_id, engines=engines, start_spread_seconds=start_spread_seconds
        )
        self._requirement = name_requirement(install_package)
        self._sent = read_text_to_send(conn_id) if send_connection else None

    async def setup(self, worker: Worker) -> None:
        """Set up the worker that this was sent to.

        Raises:
            ConnProviderError: It could not be done. Dask logs that and gives the worker
                tasks all the same; each fails with this error.
        """
        try:
            has_to_restart = self._start(worker)
        except Exception as error:  # noqa: BLE001 - whatever it is, no task may run
            told = self._tell(error)
            refuse_tasks(worker, told)
            raise told from None
        if has_to_restart:
            _restart(worker)

    def _start(self, worker: Worker) -> bool:
        """Set up the process, and return whether its nanny has to restart it."""
        if find_installed() != self._recipe.conn_id:
            if worker.address.startswith(IN_THE_DRIVER):
                raise self._refuse("is the driver's own process", CALL_INSTALL)
            used = _was_used(worker)
            if used and worker.nanny is None:
                raise self._refuse("has used AWS, as somebody else", RESTART_IT)
        else:
            used = False
        start_worker(self._recipe, sent=self._sent)
        return used

    def _refuse(self, cause: str, hint: str) -> CredentialFetchError:
        return CredentialFetchError(
            conn_id=self._recipe.conn_id,
            cause=f"this Dask worker {cause}, so that it runs no task",
            hint=hint,
        )

    def _tell(self, error: Exception) -> ConnProviderError:
        """Return an error of ours, which can go to the driver."""
        if isinstance(error, ConnProviderError):
            return error
        said = error.strerror if isinstance(error, OSError) else None
        cause = f"could not be set up ({said or type(error).__name__})"
        return self._refuse(cause, "Restart it; what it lacks may be there then.")

    def __reduce__(self) -> tuple[Callable[..., ConnectionPlugin], tuple[Any, ...]]:
        text = None if self._sent is None else self._sent.reveal()
        # As a plain tuple: the worker may have no class of ours to read it by.
        return Arrival(self._requirement), (tuple(self._recipe), text)

    def __repr__(self) -> str:
        return f"ConnectionPlugin({self._recipe.conn_id!r})"


@scrubbed
def receive(recipe: tuple[str, bool, float], text: str | None) -> ConnectionPlugin:
    """Return the plugin that was pickled."""
    conn_id, engines, spread = recipe
    plugin = ConnectionPlugin(conn_id, engines=engines, start_spread_seconds=spread)
    plugin._sent = None if text is None else Secret(text)  # noqa: SLF001 - our own
    return plugin


def name_requirement(install_package: str | bool) -> str | None:  # noqa: FBT001 - of users
    """Return what pip is to install where the package is missing; None for nothing."""
    if install_package is True:
        return f"botocore-conn-provider=={__version__}"
    return install_package or None


def _was_used(worker: Worker) -> bool:
    """Return whether the process may have clients of the node's identity.

    A worker that joins has run nothing, whatever it has imported: its heart begins to
    beat when it has its plugins.
    """
    engines = {*ENGINES - {OF_PYARROW}, OF_PYARROW_FOR_S3, SESSIONS}
    is_beating = worker.periodic_callbacks["heartbeat"].is_running()
    return bool(is_beating and not engines.isdisjoint(sys.modules))


def _restart(worker: Worker) -> None:
    """Have the worker's nanny restart it, after its tasks; no more begin meanwhile."""
    worker.status = Status.closing_gracefully
    _run(_leave(worker))


async def _leave(worker: Worker) -> None:
    """Hand on what the worker holds, and end it: as `Worker.close_gracefully` does."""
    # The scheduler closes its connection to a worker that leaves, and waits for the
    # answer to what has brought the plugin.
    await asyncio.sleep(ANSWERED_SECONDS)
    await worker.scheduler.retire_workers(
        workers=[worker.address],
        close_workers=False,
        remove=True,
        stimulus_id=ConnectionPlugin.name,
    )
    await worker.close(nanny=False, reason=ConnectionPlugin.name)


def _run(work: Coroutine[Any, Any, Any]) -> None:
    """Run it in the background."""
    task = asyncio.create_task(work)
    _running.add(task)  # a loop holds no reference to its tasks
    task.add_done_callback(_running.discard)


_running: set[asyncio.Task[Any]] = set()
