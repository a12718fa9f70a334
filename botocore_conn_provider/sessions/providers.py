"""One `CredentialProvider` for each kind of connection, ahead of botocore's chain.

A connection that is there either loads or raises: no provider here ever says
"not mine" for a connection that names an identity, so the chain behind it cannot
take another one. A connection without keys, profile and role has no provider:
its identity *is* botocore's own chain.

Thread safety: `load` makes one credentials object for the life of the
provider, under a lock, because botocore lets threads race for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.credentials import CredentialProvider, Credentials

from botocore_conn_provider.connection.settings import (
    AssumeRole,
    AssumeRoleWithSaml,
    AssumeRoleWithWebIdentity,
    AwsSettings,
)
from botocore_conn_provider.fork import ProcessLock
from botocore_conn_provider.sessions.credentials import (
    ConnectionCredentials,
    KeptCredentials,
    Recipe,
    UrlRules,
)

if TYPE_CHECKING:
    from botocore_conn_provider.exchange.session_view import SessionView
    from botocore_conn_provider.renewal.deferred_keeper import DeferredKeeper
    from botocore_conn_provider.sessions.binding import Remake


class ConnectionProvider(CredentialProvider):
    """What the kinds share: the connection, its base session, one load."""

    METHOD: str
    CANONICAL_NAME: str

    def __init__(
        self, settings: AwsSettings, view: SessionView, *, remake: Remake
    ) -> None:
        super().__init__()
        self.settings = settings
        self.remake = remake
        self._view = view
        self._lock = ProcessLock()
        self._loaded: Credentials | None = None

    def load(self) -> Credentials:
        """Return the credentials of the connection, the same object each time."""
        with self._lock.own:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _load(self) -> Credentials:
        raise NotImplementedError

    def make_aio_recipe(self) -> Recipe:
        """Return how to make aiobotocore's kind of the credentials again."""
        return self.remake.aio_credentials, (self.settings.conn_id,)

    def _make_recipe(self) -> Recipe:
        return self.remake.credentials, (self.settings.conn_id,)


class StaticProvider(ConnectionProvider):
    """Keys that stand in the connection."""

    METHOD = "conn-static"
    CANONICAL_NAME = "customConnStatic"

    def _load(self) -> Credentials:
        keys = self.settings.keys
        if keys is None:
            raise TypeError("a static connection has keys")
        token = keys.session_token.reveal() if keys.session_token else None
        credentials = ConnectionCredentials(
            (str(keys.access_key_id), keys.secret_access_key.reveal(), token),
            recipe=self._make_recipe(),
        )
        # An attribute, because the oldest botocore's constructor does not take it.
        setattr(credentials, "account_id", keys.account_id)  # noqa: B010 - typed as absent
        return credentials


class ProfileProvider(ConnectionProvider):
    """The keys of a profile of the shared files."""

    METHOD = "conn-profile"
    CANONICAL_NAME = "customConnProfile"

    def _load(self) -> Credentials:
        # Imported here: only these credentials are fetched by botocore itself.
        from botocore_conn_provider.exchange.base_identity import load_base_credentials
        from botocore_conn_provider.exchange.base_session import create_base_session

        return load_base_credentials(
            create_base_session(self.settings, self._view), self.settings
        )


class RoleProvider(ConnectionProvider):
    """Credentials of a role, or of a profile that asks for them, which the keeper renews.

    Args:
        names: METHOD and CANONICAL_NAME.
    """

    def __init__(
        self,
        settings: AwsSettings,
        view: SessionView,
        *,
        remake: Remake,
        names: tuple[str, str],
    ) -> None:
        super().__init__(settings, view, remake=remake)
        self.METHOD, self.CANONICAL_NAME = names

    def _load(self) -> Credentials:
        return KeptCredentials(
            self.defer_keeper(),
            method=self.METHOD,
            recipe=self._make_recipe(),
            urls=self.find_url_rules(),
        )

    def find_url_rules(self) -> UrlRules:
        """Return what the connection says of presigned URLs that end early."""
        are_errors = self.settings.own.presigned_urls == "error"
        return UrlRules(self.settings.conn_id, are_errors)

    def defer_keeper(self) -> DeferredKeeper:
        """Return what finds the role's keeper at its first use; asks nothing."""
        # Imported here so that connections without a role do not load the keeper.
        from botocore_conn_provider.renewal.registry import defer_keeper

        return defer_keeper(self.settings, self._view)


# METHOD and CANONICAL_NAME of a role's provider. They are no classes, because each class
# delays a start.
ROLE_NAMES: dict[type, tuple[str, str]] = {
    AssumeRole: ("conn-assume-role", "customConnAssumeRole"),
    AssumeRoleWithSaml: ("conn-saml", "customConnSaml"),
    AssumeRoleWithWebIdentity: ("conn-web-identity", "customConnWebIdentity"),
}


def create_provider(
    settings: AwsSettings, view: SessionView, *, remake: Remake
) -> ConnectionProvider | None:
    """Return the provider for the connection's kind; None for botocore's chain."""
    names = _find_names(settings, view)
    if names is not None:
        return RoleProvider(settings, view, remake=remake, names=names)
    if settings.keys is not None:
        return StaticProvider(settings, view, remake=remake)
    if settings.profile_name is not None:
        return ProfileProvider(settings, view, remake=remake)
    return None


def _find_names(settings: AwsSettings, view: SessionView) -> tuple[str, str] | None:
    """Return the names of the provider whose credentials are renewed; None for another."""
    if settings.role is not None:
        return ROLE_NAMES[type(settings.role)]
    if settings.keys is not None or settings.profile_name is None:
        return None
    # Imported here: connections without a profile need no such look.
    from botocore_conn_provider.exchange.base_session import create_base_session
    from botocore_conn_provider.exchange.profile_flow import is_renewed

    profiles = create_base_session(settings, view).full_config.get("profiles", {})
    renewed = is_renewed(profiles, settings.profile_name)
    names = ProfileProvider.METHOD, ProfileProvider.CANONICAL_NAME
    return names if renewed else None
