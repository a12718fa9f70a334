"""Sessions that no connection is ever fitted to.

botocore's own AssumeRoleProvider makes its STS client on the session that it
resolves for. Were that session fitted, the connection's endpoint and the
connection's credentials would come back into the very call that fetches them.
So the base identity, the STS client of an exchange and botocore's own chain all
live on a bare twin of the user's session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.configprovider import ConfigChainFactory

from botocore_conn_provider.exchange.session_reading import rebind
from botocore_conn_provider.exchange.session_view import FILES
from botocore_conn_provider.exchange.unfitted_session import UnfittedSession

if TYPE_CHECKING:
    from botocore.credentials import CredentialResolver

    from botocore_conn_provider.connection.environment import Snapshot
    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.exchange.session_view import SessionView

# Providers that take the machine's identity. A profile that was named and holds
# no credentials must not end there.
MACHINE_PROVIDERS = (
    "ec2-credentials-file",
    "boto-config",
    "container-role",
    "iam-role",
)


CA_BUNDLE = "AWS_CA_BUNDLE"


def create_base_session(settings: AwsSettings, view: SessionView) -> UnfittedSession:
    """Make a session that starts where the connection starts. Asks nothing.

    It reads the snapshot where botocore reads the process, and the files that the
    snapshot names at each call. Its credentials are those of the connection's
    profile or of botocore's chain; the connection's own keys need no session.
    """
    session = UnfittedSession(
        event_hooks=view.events,
        include_builtin_handlers=view.events is None,
    )
    if view.events is not None:
        # As they are: the session has wrapped them in what replaces old names of
        # events, which they do already.
        session.register_component("event_emitter", view.events)
    session.environ = view.snapshot.environ
    loader = view.data_loader()
    if loader is not None:
        session.register_component("data_loader", loader)
    _put_variables(session, view)
    if settings.profile_name is not None:
        session.set_config_variable("profile", settings.profile_name)
    elif not settings.starts_from_chain:
        _ignore_unknown_profile(session)
    region_name = settings.client.region_name or view.region_name
    if "region" not in view.variables and region_name is not None:
        _set_default_region(session, settings, region_name)
    _locate_ca_bundle(session, view)
    if view.client_config is not None:
        session.set_default_client_config(view.client_config)
    if settings.keys is not None:
        keys = settings.keys
        token = None if keys.session_token is None else keys.session_token.reveal()
        session.set_credentials(
            str(keys.access_key_id), keys.secret_access_key.reveal(), token
        )
    session.lazy_register_component(
        "credential_provider", lambda: _create_chain(session, settings, view.snapshot)
    )
    return session


def _put_variables(session: UnfittedSession, view: SessionView) -> None:
    """Have every session variable read the snapshot and what the program said."""
    store = session.get_component("config_store")
    chains = ConfigChainFactory(session, environ=view.snapshot.environ)
    specifications = view.specifications or session.session_var_map
    for name, (in_file, in_environ, default, convert) in specifications.items():
        chain = chains.create_config_chain(
            instance_name=name,
            env_var_names=in_environ,
            config_property_names=in_file,
            default=default,
            conversion_func=convert,
        )
        store.set_config_provider(name, chain)
    for name, provider in view.providers.items():
        bound = rebind(provider, session, view.snapshot.environ)
        store.set_config_provider(name, bound)
    for name, value in view.overrides.items():
        store.set_config_variable(name, value)
    for name, value in view.variables.items():
        session.set_config_variable(name, value)
    for name in FILES:
        path = session.get_config_variable(name)
        if isinstance(path, str):
            session.set_config_variable(name, view.snapshot.locate(path))


def _locate_ca_bundle(session: UnfittedSession, view: SessionView) -> None:
    """Make a relative path of the environment or the program an absolute one."""
    named = view.variables.get("ca_bundle") or view.snapshot.environ.get(CA_BUNDLE)
    if isinstance(named, str):
        session.set_config_variable("ca_bundle", view.snapshot.locate(named))


def _set_default_region(
    session: UnfittedSession, settings: AwsSettings, region_name: str
) -> None:
    """Set the connection's region, or else the caller's where there is no other."""
    if settings.client.region_name or session.get_config_variable("region") is None:
        session.set_config_variable("region", region_name)


def _create_chain(
    session: UnfittedSession, settings: AwsSettings, snapshot: Snapshot
) -> CredentialResolver:
    # Imported here: connections that name their keys need no chain.
    from botocore_conn_provider.exchange.base_chain import BaseChain
    from botocore_conn_provider.exchange.hops import Hops

    session.hops = Hops()
    region_name = session.get_config_variable("region")
    resolver = BaseChain(
        session,
        snapshot,
        conn_id=settings.conn_id,
        region_name=region_name,
        is_renewed=settings.role is not None or settings.profile_name is not None,
        hops=session.hops,
    ).build()
    if settings.profile_name is not None:
        for name in MACHINE_PROVIDERS:
            resolver.remove(name)
    return resolver


def _ignore_unknown_profile(session: UnfittedSession) -> None:
    """Ignore AWS_PROFILE if it names a missing profile and the connection needs none."""
    name = session.get_config_variable("profile")
    if name is not None and name not in session.available_profiles:
        session.get_component("config_store").set_config_variable("profile", None)
