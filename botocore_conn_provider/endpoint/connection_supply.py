"""From a connection to what its endpoint hands out.

In a program that has sessions of its own the endpoint shares their keeper, so that both
cost one exchange. A command that only hands on has a keeper of its own, which loads
nothing of botocore's where the store has what it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.exchange.session_view import SessionView
from botocore_conn_provider.renewal.keeper import Keeper
from botocore_conn_provider.renewal.schedule import RenewalPolicy

if TYPE_CHECKING:
    from botocore_conn_provider.connection.environment import Snapshot
    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.renewal.deferred_keeper import DeferredKeeper


def create_own_keeper(
    settings: AwsSettings, snapshot: Snapshot, variable: str
) -> Keeper:
    """Return a keeper for a command that only hands credentials on.

    Of keys that have no end, what it gives lasts for years, and has no session token
    unless they have one.

    Args:
        settings: Of a connection whose keys do not stand in it; see `switch_store_on`.
        snapshot: What the identity is resolved from.
        variable: That holds the connection, for errors.

    Raises:
        ConnProviderError: The base identity cannot be had.
    """
    view = SessionView(snapshot)
    policy = RenewalPolicy.from_settings(settings.own)
    conn_id = settings.conn_id
    if settings.role is not None:
        # Imported here: not every connection has a role.
        from botocore_conn_provider.renewal.light_source import create_light_source

        light = create_light_source(settings, view, variable)
        return Keeper(light.fetch, conn_id=conn_id, policy=policy, store=light.store)
    from botocore_conn_provider.exchange.checks import prepare_base
    from botocore_conn_provider.exchange.flow import run_flow
    from botocore_conn_provider.exchange.profile_flow import ProfileFlow

    prepare_base(settings, view, variable=variable)
    flow = ProfileFlow(settings, view)
    return Keeper(lambda repeat: run_flow(flow, repeat), conn_id=conn_id, policy=policy)


def defer_shared_keeper(
    settings: AwsSettings, snapshot: Snapshot, variable: str
) -> DeferredKeeper:
    """Return what finds, at the first ask, the keeper that sessions use too."""
    from botocore_conn_provider.renewal.deferred_keeper import DeferredKeeper

    def find() -> Keeper:
        # Imported here: by the first ask, which may never come.
        from botocore_conn_provider.exchange.checks import prepare_base
        from botocore_conn_provider.renewal.registry import share_keeper

        view = SessionView(snapshot)
        prepare_base(settings, view, variable=variable)
        return share_keeper(settings, view)

    return DeferredKeeper(
        find,
        conn_id=settings.conn_id,
        policy=RenewalPolicy.from_settings(settings.own),
    )
