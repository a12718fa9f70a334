"""One `CredentialProvider` for each kind of connection, ahead of botocore's chain.

A connection that is there either loads or raises: no provider here ever says
"not mine" for a connection that names an identity, so the chain behind it cannot
take another one. A connection without keys, profile and role has no provider:
its identity *is* botocore's own chain.

What guards what: `load` makes one credentials object for the life of the
provider, under a lock, because botocore lets threads race for it. The base
session and the STS client belong to one process: a forked child makes its own,
since an inherited client shares its parent's open connections.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from botocore.credentials import (
    CredentialProvider,
    Credentials,
    DeferredRefreshableCredentials,
)

from botocore_conn_provider.connection.settings import (
    AssumeRole,
    AssumeRoleWithSaml,
    AssumeRoleWithWebIdentity,
    AwsSettings,
)
from botocore_conn_provider.errors import InvalidConnectionError, Problem
from botocore_conn_provider.exchange import (
    StsExchange,
    TemporaryCredentials,
    create_sts_client,
)
from botocore_conn_provider.hosts.bare import load_base_credentials
from botocore_conn_provider.hosts.process_lock import ProcessLock

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore_conn_provider.hosts.bare import BareSession

    MakeBase = Callable[[], BareSession]


class ConnectionProvider(CredentialProvider):
    """What the kinds share: the connection, its base session, one load."""

    METHOD: str
    CANONICAL_NAME: str

    def __init__(self, settings: AwsSettings, make_base: MakeBase) -> None:
        super().__init__()
        self._settings = settings
        self._make_base = make_base
        self._lock = ProcessLock()
        self._loaded: Credentials | None = None

    def load(self) -> Credentials:
        """Return the credentials of the connection, the same object each time."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _load(self) -> Credentials:
        raise NotImplementedError


class StaticProvider(ConnectionProvider):
    """Keys that stand in the connection."""

    METHOD = "conn-static"
    CANONICAL_NAME = "customConnStatic"

    def _load(self) -> Credentials:
        keys = self._settings.keys
        if keys is None:
            raise TypeError("a static connection has keys")
        token = keys.session_token.reveal() if keys.session_token else None
        credentials = Credentials(
            keys.access_key_id, keys.secret_access_key.reveal(), token, self.METHOD
        )
        # An attribute, because the oldest botocore's constructor does not take it.
        setattr(credentials, "account_id", keys.account_id)  # noqa: B010
        return credentials


class ProfileProvider(ConnectionProvider):
    """The credentials of a profile of the shared files, whatever their kind."""

    METHOD = "conn-profile"
    CANONICAL_NAME = "customConnProfile"

    def _load(self) -> Credentials:
        return load_base_credentials(self._make_base(), self._settings)


class RoleProvider(ConnectionProvider):
    """Credentials of a role, which renew by themselves."""

    def __init__(self, settings: AwsSettings, make_base: MakeBase) -> None:
        super().__init__(settings, make_base)
        self._exchanges: dict[int, StsExchange] = {}

    def _load(self) -> Credentials:
        return DeferredRefreshableCredentials(self._refresh, self.METHOD)

    def _refresh(self) -> dict[str, str | None]:
        fresh = self._fetch()
        return {
            "access_key": fresh.access_key_id,
            "secret_key": fresh.secret_access_key.reveal(),
            "token": fresh.session_token.reveal(),
            "expiry_time": fresh.expires_at.isoformat(),
            "account_id": fresh.account_id,
        }

    def _fetch(self) -> TemporaryCredentials:
        raise NotImplementedError

    def _exchange(self) -> StsExchange:
        """Return the exchange of this process."""
        with self._lock:
            exchange = self._exchanges.get(os.getpid())
            if exchange is None:
                exchange = self._exchanges[os.getpid()] = self._make_exchange()
            return exchange

    def _make_exchange(self) -> StsExchange:
        settings = self._settings
        base = self._make_base()
        unsigned = not isinstance(settings.role, AssumeRole)
        if not unsigned:
            load_base_credentials(base, settings)
        client = create_sts_client(base, settings.client, unsigned=unsigned)
        return StsExchange(client, conn_id=settings.conn_id)


class AssumeRoleProvider(RoleProvider):
    """AssumeRole from the base identity of the connection."""

    METHOD = "conn-assume-role"
    CANONICAL_NAME = "customConnAssumeRole"

    def _fetch(self) -> TemporaryCredentials:
        role = self._settings.role
        if not isinstance(role, AssumeRole):
            raise TypeError("this connection does not assume a role by keys")
        return self._exchange().assume_role(role)


class SamlProvider(RoleProvider):
    """AssumeRoleWithSAML."""

    METHOD = "conn-saml"
    CANONICAL_NAME = "customConnSaml"

    def _load(self) -> Credentials:
        raise not_yet(self._settings)


class WebIdentityProvider(RoleProvider):
    """AssumeRoleWithWebIdentity."""

    METHOD = "conn-web-identity"
    CANONICAL_NAME = "customConnWebIdentity"

    def _load(self) -> Credentials:
        raise not_yet(self._settings)


def not_yet(settings: AwsSettings) -> InvalidConnectionError:
    """Refuse a flow that this version cannot do, instead of another identity."""
    problem = Problem(
        "assume_role_method",
        "is right, and this version cannot do it yet",
        "Use a later version.",
    )
    return InvalidConnectionError(conn_id=settings.conn_id, problems=[problem])


def create_provider(
    settings: AwsSettings, make_base: MakeBase
) -> ConnectionProvider | None:
    """Return the provider for the connection's kind; None for botocore's chain."""
    kind = _find_kind(settings)
    return kind(settings, make_base) if kind is not None else None


def _find_kind(settings: AwsSettings) -> type[ConnectionProvider] | None:
    if isinstance(settings.role, AssumeRole):
        return AssumeRoleProvider
    if isinstance(settings.role, AssumeRoleWithSaml):
        return SamlProvider
    if isinstance(settings.role, AssumeRoleWithWebIdentity):
        return WebIdentityProvider
    if settings.keys is not None:
        return StaticProvider
    return ProfileProvider if settings.profile_name is not None else None
