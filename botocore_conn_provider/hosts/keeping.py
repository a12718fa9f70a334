"""Give each role of this process one keeper, and its credentials a recipe.

The keeper is found by fingerprint, so that sessions, clients and threads share one
login. Pickled credentials hold the connection's name and are made anew where they
arrive, from the environment there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.hosts.credentials import KeptCredentials
from botocore_conn_provider.hosts.fetchers import create_fetch
from botocore_conn_provider.hosts.identity import describe_asker
from botocore_conn_provider.hosts.recipe import remake_credentials
from botocore_conn_provider.keeper.fingerprint import fingerprint
from botocore_conn_provider.keeper.keeper import Keeper
from botocore_conn_provider.keeper.registry import keepers
from botocore_conn_provider.keeper.windows import RenewalPolicy

if TYPE_CHECKING:
    from botocore_conn_provider.connection.environment import Environ
    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.hosts.fetchers import MakeBase
    from botocore_conn_provider.keeper.held import Store


def keep(
    settings: AwsSettings, make_base: MakeBase, *, environ: Environ, method: str
) -> KeptCredentials:
    """Return credentials of the connection's role, renewed by the shared keeper."""
    keeper = share_keeper(settings, make_base, environ=environ)
    recipe = remake_credentials, (settings.conn_id,)
    return KeptCredentials(keeper, method=method, recipe=recipe)


def share_keeper(
    settings: AwsSettings, make_base: MakeBase, *, environ: Environ
) -> Keeper:
    """Return this process's keeper of the connection's role. Fetches nothing."""
    identity = fingerprint(settings, describe_asker(settings, environ))

    def make_keeper() -> Keeper:
        return Keeper(
            create_fetch(settings, make_base, environ=environ),
            conn_id=settings.conn_id,
            policy=RenewalPolicy.from_settings(settings.own),
            store=_open_store(settings, identity, environ),
        )

    return keepers.share(identity, make_keeper)


def _open_store(settings: AwsSettings, identity: str, environ: Environ) -> Store | None:
    choice = settings.own.store
    if choice is None:
        return None
    # Late: the store is off unless somebody asks for it.
    from botocore_conn_provider.keeper.store import MachineStore
    from botocore_conn_provider.keeper.store_directory import find_store_directory

    path = find_store_directory(choice, environ)
    return None if path is None else MachineStore(path, identity)
