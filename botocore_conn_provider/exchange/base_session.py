"""Sessions that no connection is ever fitted to.

botocore's own AssumeRoleProvider makes its STS client on the session that it
resolves for. Were that session fitted, the connection's endpoint and the
connection's credentials would come back into the very call that fetches them.
So the base identity, the STS client of an exchange and botocore's own chain all
live on a bare twin of the user's session.
"""

from __future__ import annotations

import copy
import weakref
from typing import TYPE_CHECKING

import botocore.credentials
import botocore.session
from botocore.configprovider import ConfigChainFactory

from botocore_conn_provider.connection.environment import PATH_VARIABLES
from botocore_conn_provider.errors import (
    ConnProviderError,
    CredentialFetchError,
    InvalidConnectionError,
    Problem,
)
from botocore_conn_provider.exchange.asking import ASKING_VARIABLE
from botocore_conn_provider.exchange.session_view import FILES, SessionView
from botocore_conn_provider.exchange.variable_chains import is_of_botocore, rebind
from botocore_conn_provider.secret import KeyId, Secret
from botocore_conn_provider.tracebacks import scrubbed
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    import datetime

    from botocore.configprovider import ConfigValueStore
    from botocore.credentials import CredentialResolver

    from botocore_conn_provider.connection.environment import Environ, Snapshot
    from botocore_conn_provider.connection.settings import AwsSettings

# Providers that take the machine's identity. A profile that was named and holds
# no credentials must not end there.
MACHINE_PROVIDERS = (
    "ec2-credentials-file",
    "boto-config",
    "container-role",
    "iam-role",
)


CA_BUNDLE = "AWS_CA_BUNDLE"
# A program's answer may depend on every variable that it is started with.
READS_ANY_VARIABLE = ("custom-process",)
# Their source is told whole by the keys, the profile and the two files.
READS_NAMED_FILES = ("env", "shared-credentials-file", "config-file")


class UnfittedSession(botocore.session.Session):
    """A botocore session that installation leaves alone.

    Attributes:
        environ: Where its clients find endpoints; None for the live environment.
    """

    environ: Environ | None = None

    def _add_configured_endpoint_provider(
        self, client_name: str, config_store: ConfigValueStore
    ) -> None:
        """Have a client find its endpoint in the snapshot.

        Botocore's own reads the live environment, and has no public way to be given
        another. An older botocore knows no such variables and does not call this.
        """
        from botocore.configprovider import ConfiguredEndpointProvider

        config_store.set_config_provider(
            "endpoint_url",
            ConfiguredEndpointProvider(
                full_config=self.full_config,
                scoped_config=self.get_scoped_config(),
                client_name=client_name,
                environ=self.environ,
            ),
        )


def view_session(
    session: botocore.session.Session,
    snapshot: Snapshot,
    *,
    region_name: str | None = None,
) -> SessionView:
    """Return what was said on `session` until now. Asks no variable for its value."""
    store = session.get_component("config_store")
    providers, overrides = {}, {}
    for name, specification in session.session_var_map.items():
        provider = store.get_config_provider(name)
        # Ours give defaults only; what they stand before is the session's own.
        provider = getattr(provider, "replaced", provider)
        if provider is None:
            overrides[name] = store.get_config_variable(name)
        elif not is_of_botocore(provider, name, specification):
            providers[name] = provider
    return SessionView(
        snapshot=snapshot,
        # A copy, because botocore's holds the session and changes with it.
        specifications=dict(session.session_var_map),
        data_loader=weakref.ref(session.get_component("data_loader")),
        variables=dict(session.instance_variables()),
        providers=providers,
        overrides=overrides,
        client_config=session.get_default_client_config(),
        # A copy: what is registered later is for the session itself.
        events=copy.copy(session.get_component("event_emitter")),
        region_name=region_name,
    )


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

    region_name = session.get_config_variable("region")
    resolver = BaseChain(
        session, snapshot, conn_id=settings.conn_id, region_name=region_name
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


class BaseIdentity(Value):
    """The keys that an exchange starts from, fixed for that exchange.

    `method` is the name that botocore gives to where they were found. `expires_at`
    (aware, UTC) is None for keys that do not expire. `session` is the base session
    that found them and that the exchange is made on.
    """

    access_key_id: KeyId
    secret_access_key: Secret
    session_token: Secret | None
    method: str
    account_id: str | None = None
    expires_at: datetime.datetime | None = None
    session: UnfittedSession | None = None

    def __repr__(self) -> str:
        return f"BaseIdentity({self.method})"

    def describe(self, snapshot: Snapshot) -> dict[str, str]:
        """Describe it by content, and where the next one will come from.

        The content decides who shares now. The source decides who goes on sharing when
        the keys are rotated; together with `SessionView.describe` it is told whole.
        Holds secrets: never show it.
        """
        token = self.session_token
        told = {
            "access key id": self.access_key_id,
            "secret access key": self.secret_access_key.reveal(),
            "session token": token.reveal() if token is not None else "",
            "method": self.method,
        }
        if self.session is not None:
            for name in ("profile", *FILES):
                told[name] = str(self.session.get_config_variable(name))
        # Of the rest of the chain, what such a source reads besides.
        if self.method not in READS_NAMED_FILES:
            settled = snapshot.settle()
            told |= {"directory": snapshot.directory, "home": settled["HOME"]}
            told |= {name: settled.get(name, "") for name in PATH_VARIABLES}
        if self.method in READS_ANY_VARIABLE:
            told |= {f"${name}": value for name, value in snapshot.environ.items()}
            told.pop(f"${ASKING_VARIABLE}", None)
        return told


@scrubbed
def load_base_identity(session: UnfittedSession, settings: AwsSettings) -> BaseIdentity:
    """Return the keys of `session` as they are now; may ask the network.

    Raises:
        InvalidConnectionError: There are none: the profile holds none, or
            botocore's chain found none.
        CredentialFetchError: Their source failed.
    """
    if settings.keys is not None:
        keys = settings.keys
        return BaseIdentity(
            keys.access_key_id,
            keys.secret_access_key,
            keys.session_token,
            method="conn-static",
            account_id=keys.account_id,
            session=session,
        )
    # Imported here: connections without a role do not load it.
    from botocore.exceptions import BotoCoreError, ClientError

    from botocore_conn_provider.quiet import quiet_exchange

    try:
        # A profile's own role is assumed here: botocore logs the answer at DEBUG.
        with quiet_exchange():
            credentials = load_base_credentials(session, settings)
            frozen = credentials.get_frozen_credentials()
    except ConnProviderError:
        raise
    # The last two: a program that cannot be started, or that prints no JSON.
    except (BotoCoreError, ClientError, OSError, ValueError) as error:
        raise _explain_no_identity(error, settings) from None
    if not frozen.access_key or not frozen.secret_key:
        raise no_base_credentials(settings)
    return BaseIdentity(
        KeyId(frozen.access_key),
        Secret(frozen.secret_key),
        Secret(frozen.token) if frozen.token else None,
        method=credentials.method,
        # The oldest botocore has no account_id here.
        account_id=getattr(frozen, "account_id", None),
        # botocore has no public name for it; keys that do not expire lack it.
        expires_at=getattr(credentials, "_expiry_time", None),
        session=session,
    )


def _explain_no_identity(
    error: Exception, settings: AwsSettings
) -> CredentialFetchError:
    # Imported here: only a failure needs the explanation.
    from botocore_conn_provider.redaction import show_error

    name = settings.profile_name
    place = f"the profile '{name}'" if name else "botocore's own chain"
    return CredentialFetchError(
        conn_id=settings.conn_id,
        cause=f"{place} gives no credentials: {show_error(error)}",
        hint="Fix what it names, or give the connection keys.",
    )


@scrubbed
def load_base_credentials(
    bare: UnfittedSession, settings: AwsSettings
) -> botocore.credentials.Credentials:
    """Return the base credentials of `bare`; may ask the network, as botocore does.

    Raises:
        InvalidConnectionError: There are none: the profile holds none, or
            botocore's chain found none.
    """
    credentials = bare.get_credentials()
    if credentials is None:
        raise no_base_credentials(settings)
    return credentials


def no_base_credentials(settings: AwsSettings) -> InvalidConnectionError:
    """Return the error for a base identity that is not to be found."""
    if settings.profile_name is not None:
        problem = Problem(
            "profile_name",
            "names a profile without credentials",
            "Add them to the profile, or keys to the connection.",
        )
    else:
        problem = Problem(
            "role_arn",
            "has no identity to start from: the connection names no keys and no"
            " profile, and botocore's own chain found none",
            "Add keys or 'profile_name', or give the machine an identity.",
        )
    return InvalidConnectionError(conn_id=settings.conn_id, problems=[problem])
