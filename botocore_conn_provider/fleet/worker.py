"""Set up one worker process: what all engines have in common.

The process gets its connection by name, whatever the driver's own environment holds, and
reads it when a task first needs it: so a connection that is missing or wrong is an error
of ours in that task, where the driver sees it, and no reason for a worker to die.

The store is switched on where the node has chosen nothing, so that the workers of a
node make one exchange. Programs that a worker starts are activated by PYTHONPATH.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from botocore_conn_provider import startup
from botocore_conn_provider.connection.environment import SETTING_PREFIX, ConnectionName
from botocore_conn_provider.renewal.store.places import ON

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from botocore_conn_provider.fleet.recipe import Recipe
    from botocore_conn_provider.secret import Secret

STORE_VARIABLE = f"{SETTING_PREFIX}STORE"
AUTOLOAD = Path(startup.__file__).parent / "autoload"


def start_worker(recipe: Recipe, *, sent: Secret | None = None) -> None:
    """Make the connection this process's, and that of the programs it starts.

    Args:
        recipe: Which one; it must exist when a task needs it.
        sent: The connection's text, where the driver sent it; it takes precedence over
            one that the node has by the same name.
    """
    # Imported here so that a worker without boto does not load botocore.
    from botocore_conn_provider.sessions.installation import install

    change_worker_environment(os.environ, recipe, sent=sent)
    install(recipe.conn_id, engines=recipe.engines)


def change_worker_environment(
    environ: MutableMapping[str, str], recipe: Recipe, *, sent: Secret | None = None
) -> None:
    """Change the environment of a worker, or of one that is about to be started."""
    environ.update(recipe.list_variables())
    environ.setdefault(STORE_VARIABLE, ON)
    environ["PYTHONPATH"] = _put_first(AUTOLOAD, environ)
    if sent is not None:
        environ[ConnectionName(recipe.conn_id).variable] = sent.reveal()


def _put_first(path: Path, environ: Mapping[str, str]) -> str:
    others = environ.get("PYTHONPATH", "").split(os.pathsep)
    return os.pathsep.join(
        [str(path), *(each for each in others if each not in ("", str(path)))]
    )
