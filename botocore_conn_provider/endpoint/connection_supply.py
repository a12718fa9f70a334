"""From a connection to what its endpoint hands out.

In a program that has sessions of its own the endpoint shares their keeper, so that both
cost one exchange. A command that only hands on has a keeper of its own, which loads
nothing of botocore's where the store has what it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.endpoint.supply import FixedSupply, KeptSupply
from botocore_conn_provider.errors import CredentialFetchError

if TYPE_CHECKING:
    from botocore_conn_provider.connection.environment import Snapshot
    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.endpoint.supply import Keys, Supply
    from botocore_conn_provider.exchange.base_identity import BaseIdentity
    from botocore_conn_provider.renewal.deferred_keeper import DeferredKeeper
    from botocore_conn_provider.renewal.keeper import Keeper


def find_supply(
    settings: AwsSettings, snapshot: Snapshot, variable: str, *, may_load_hosts: bool
) -> Supply | Keys | None:
    """Return what engines of a program are given. Asks nobody; may read AWS's files.

    Keys without a session token are returned as they are: they cannot be served.

    Args:
        settings: Of the connection.
        snapshot: What the identity is resolved from.
        variable: That holds the connection, for errors.
        may_load_hosts: Whether a profile may be read, for which botocore is loaded.

    Returns:
        None where the identity is what engines find by themselves: the machine's.

    Raises:
        ConnProviderError: This machine makes the connection impossible.
    """
    if settings.role is None and settings.keys is not None:
        return _serve_fixed(settings.keys)
    if settings.role is None and settings.profile_name is None:
        return None
    if settings.role is None and may_load_hosts:
        found = _read_profile(settings, snapshot, variable)
        if found is not None:
            return _serve_fixed(found)
    return KeptSupply(lambda: defer_shared_keeper(settings, snapshot, variable))


def _serve_fixed(keys: Keys) -> Supply | Keys:
    return FixedSupply(keys) if keys.session_token else keys


def _read_profile(
    settings: AwsSettings, snapshot: Snapshot, variable: str
) -> BaseIdentity | None:
    """Return the keys of a profile; None if something has to be asked for them."""
    # Imported here: only a profile without a role is read at once.
    from botocore_conn_provider.exchange.base_identity import load_base_identity
    from botocore_conn_provider.exchange.checks import prepare_base
    from botocore_conn_provider.exchange.profile_flow import asks_a_person, is_renewed
    from botocore_conn_provider.exchange.session_view import SessionView

    base = prepare_base(settings, SessionView(snapshot), variable=variable)
    profiles = base.full_config.get("profiles", {})
    if is_renewed(profiles, settings.profile_name):
        return None
    if asks_a_person(profiles, settings.profile_name):
        raise CredentialFetchError(
            conn_id=settings.conn_id,
            cause="its profile asks a person for the code of an MFA device, which no"
            " engine beside botocore can wait for.",
            hint="Name a profile without mfa_serial.",
        )
    return load_base_identity(base, settings)


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
    # Imported here: a program's engine may never ask.
    from botocore_conn_provider.exchange.session_view import SessionView
    from botocore_conn_provider.renewal.keeper import Keeper
    from botocore_conn_provider.renewal.schedule import RenewalPolicy

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
    # Imported here: an engine may never ask.
    from botocore_conn_provider.exchange.session_view import SessionView
    from botocore_conn_provider.renewal.deferred_keeper import DeferredKeeper
    from botocore_conn_provider.renewal.schedule import RenewalPolicy

    def find() -> Keeper:
        _refuse_other_botocore(settings.conn_id)
        # Imported here: in the background.
        from botocore_conn_provider.exchange.checks import prepare_base
        from botocore_conn_provider.renewal.registry import share_keeper

        view = SessionView(snapshot)
        base = prepare_base(settings, view, variable=variable)
        if settings.role is None:
            # A profile that could not be read before.
            from botocore_conn_provider.exchange.profile_flow import is_renewed

            profiles = base.full_config.get("profiles", {})
            if not is_renewed(profiles, settings.profile_name):
                return create_own_keeper(settings, snapshot, variable)
        return share_keeper(settings, view)

    return DeferredKeeper(
        find,
        conn_id=settings.conn_id,
        policy=RenewalPolicy.from_settings(settings.own),
    )


def _refuse_other_botocore(conn_id: str) -> None:
    """Refuse what a program has under botocore's name, as Debian's AWS CLI 2 does.

    Raises:
        CredentialFetchError: It has one.
    """
    # Imported here: in the background.
    import botocore.hooks

    if not hasattr(botocore.hooks, "EventAliaser"):
        raise CredentialFetchError(
            conn_id=conn_id,
            cause=f"this program has a botocore of its own ({botocore.__version__}),"
            " which cannot ask for the connection's credentials.",
            hint="Start the program by `botocore-conn exec`.",
        )
