"""Sessions that no connection is ever fitted to.

botocore's own AssumeRoleProvider makes its STS client on the session that it
resolves for. Were that session fitted, the connection's endpoint and the
connection's credentials would come back into the very call that fetches them.
So the base identity, the STS client of an exchange and botocore's own chain all
live on a bare twin of the user's session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import botocore.credentials
import botocore.session

from botocore_conn_provider.errors import (
    ConnProviderError,
    CredentialFetchError,
    InvalidConnectionError,
    Problem,
)
from botocore_conn_provider.secret import Secret

if TYPE_CHECKING:
    import datetime

    from botocore.loaders import Loader

    from botocore_conn_provider.connection.settings import AwsSettings

# Providers that take the machine's identity. A profile that was named and holds
# no credentials must not end there.
MACHINE_PROVIDERS = (
    "ec2-credentials-file",
    "boto-config",
    "container-role",
    "iam-role",
)


class UnfittedSession(botocore.session.Session):
    """A botocore session that installation leaves alone."""

    @staticmethod
    def create_chain(
        session: botocore.session.Session, region_name: str | None
    ) -> botocore.credentials.CredentialResolver:
        """Return the host's own chain for a session of this kind."""
        return botocore.credentials.create_credential_resolver(
            session, region_name=region_name
        )


Bare = TypeVar("Bare", bound=UnfittedSession)


def create_base_session(
    settings: AwsSettings,
    *,
    region_name: str | None,
    data_loader: Loader,
    kind: type[Bare],
) -> Bare:
    """Make the session that has the identity the connection starts from.

    Args:
        settings: The connection's. Its keys win over its profile; with neither,
            the session has botocore's own chain.
        region_name: The region for its clients; None for what botocore finds.
        data_loader: That of the user's session, to load the data files once.
        kind: The class, which is aiobotocore's twin for a chain that is awaited.
    """
    bare = kind()
    bare.register_component("data_loader", data_loader)
    if region_name is not None:
        bare.set_config_variable("region", region_name)
    if settings.profile_name is not None:
        bare.set_config_variable("profile", settings.profile_name)
    if settings.keys is not None:
        keys = settings.keys
        token = keys.session_token.reveal() if keys.session_token else None
        bare.set_credentials(keys.access_key_id, keys.secret_access_key.reveal(), token)
    elif settings.profile_name is not None:
        bare.lazy_register_component(
            "credential_provider", lambda: _create_profile_resolver(bare)
        )
    if not settings.starts_from_chain:
        _ignore_unknown_profile(bare)
    return bare


def _create_profile_resolver(
    bare: UnfittedSession,
) -> botocore.credentials.CredentialResolver:
    resolver = bare.create_chain(bare, bare.get_config_variable("region"))
    for name in MACHINE_PROVIDERS:
        resolver.remove(name)
    return resolver


def _ignore_unknown_profile(bare: UnfittedSession) -> None:
    """Let an identity of our own work although `AWS_PROFILE` names a profile that is not there."""
    name = bare.get_config_variable("profile")
    if name is not None and name not in bare.available_profiles:
        bare.get_component("config_store").set_config_variable("profile", None)


class BaseIdentity(NamedTuple):
    """The keys that an exchange starts from, fixed for that exchange.

    `method` is the name that botocore gives to where they were found. `expires_at`
    (aware, UTC) is None for keys that do not expire.
    """

    access_key_id: str
    secret_access_key: Secret
    session_token: Secret | None
    method: str
    account_id: str | None = None
    expires_at: datetime.datetime | None = None


def load_base_identity(session: UnfittedSession, settings: AwsSettings) -> BaseIdentity:
    """Return the keys of `session` as they are now; may ask the network.

    Raises:
        InvalidConnectionError: There are none: the profile holds none, or
            botocore's chain found none.
        CredentialFetchError: Their source failed.
    """
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
    except (BotoCoreError, ClientError) as error:
        raise _explain_no_identity(error, settings) from None
    if not frozen.access_key or not frozen.secret_key:
        raise no_base_credentials(settings)
    return BaseIdentity(
        frozen.access_key,
        Secret(frozen.secret_key),
        Secret(frozen.token) if frozen.token else None,
        method=credentials.method,
        # The oldest botocore has no account_id here.
        account_id=getattr(frozen, "account_id", None),
        # botocore has no public name for it; keys that do not expire lack it.
        expires_at=getattr(credentials, "_expiry_time", None),
    )


def _explain_no_identity(
    error: Exception, settings: AwsSettings
) -> CredentialFetchError:
    # Imported here: only a failure needs the explanation.
    from botocore_conn_provider.exchange.refusal import mask
    from botocore_conn_provider.redaction import shorten

    said = shorten(mask(" ".join(str(error).split()), {}), 400)
    name = settings.profile_name
    place = f"the profile '{name}'" if name else "botocore's own chain"
    return CredentialFetchError(
        conn_id=settings.conn_id,
        cause=f"{place} gives no credentials: {type(error).__name__}: {said}",
        hint="Fix what it names, or give the connection keys.",
    )


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
