"""The twin of `resolver` for aiobotocore. Imported only where that is.

The identity that an exchange starts from is botocore's, in the keeper's thread;
aiobotocore's chain serves connections that have no identity of their own, and
profiles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiobotocore.credentials
from aiobotocore.session import AioSession

from botocore_conn_provider.exchange.base_session import (
    UnfittedSession,
    create_base_session,
    no_base_credentials,
)
from botocore_conn_provider.sessions.aio.aio_credentials import (
    AioConnectionCredentials,
    AioKeptCredentials,
)
from botocore_conn_provider.sessions.providers import (
    ConnectionProvider,
    ProfileProvider,
    RoleProvider,
    StaticProvider,
)
from botocore_conn_provider.sessions.resolver import Applied, FittedResolver

if TYPE_CHECKING:
    import botocore.credentials
    import botocore.session


# Those that need no chain of aiobotocore's.
INDEPENDENT = (RoleProvider, StaticProvider)


class UnfittedAioSession(UnfittedSession, AioSession):  # type: ignore[misc] # untyped
    """An aiobotocore session that installation leaves alone."""

    @staticmethod
    def create_chain(
        session: botocore.session.Session, region_name: str | None
    ) -> botocore.credentials.CredentialResolver:
        """Return aiobotocore's own chain."""
        chain: botocore.credentials.CredentialResolver = (
            aiobotocore.credentials.create_credential_resolver(
                session, region_name=region_name
            )
        )
        return chain


class AioFittedResolver(FittedResolver, aiobotocore.credentials.AioCredentialResolver):  # type: ignore[misc] # untyped
    """aiobotocore's chain with the connection's provider ahead of it."""

    bare_kind = UnfittedAioSession

    async def load_credentials(self) -> Any:  # type: ignore[override] # awaited here
        """Load from our provider, which returns or raises; else from the chain."""
        plan = self.find_plan()
        if plan.applied is not None and isinstance(plan.ours, INDEPENDENT):
            return await AioProvider(plan.ours).load()
        return await aiobotocore.credentials.AioCredentialResolver.load_credentials(
            self
        )

    def _make_chain_session(self, applied: Applied) -> UnfittedAioSession:
        session = self._fitted.session
        return create_base_session(
            applied.settings,
            region_name=session.get_config_variable("region"),
            data_loader=session.get_component("data_loader"),
            kind=UnfittedAioSession,
        )

    def _adapt(
        self, ours: ConnectionProvider | None, bare: UnfittedSession
    ) -> list[Any]:
        if ours is None:
            return []
        if isinstance(ours, ProfileProvider):
            return [AioProfileProvider(ours, bare)]
        return [AioProvider(ours)]


class AioProvider:
    """A provider of ours whose `load` can be awaited. Loading fetches nothing."""

    def __init__(self, ours: ConnectionProvider) -> None:
        self.METHOD = ours.METHOD
        self.CANONICAL_NAME = ours.CANONICAL_NAME
        self._ours = ours

    async def load(self) -> Any:
        """Return the credentials of the connection, as aiobotocore's kind."""
        return self.load_now()

    def load_now(self) -> AioKeptCredentials | AioConnectionCredentials:
        """Do it without a loop: unpickling has none."""
        ours = self._ours
        recipe = ours.remake.aio_credentials, (ours.settings.conn_id,)
        if isinstance(ours, RoleProvider):
            return AioKeptCredentials(
                ours.share_keeper(), method=ours.METHOD, recipe=recipe
            )
        keys = ours.load()
        static = AioConnectionCredentials(
            (keys.access_key, keys.secret_key, keys.token), recipe=recipe
        )
        # An attribute, because the oldest constructor does not take it.
        static.account_id = vars(keys).get("account_id")
        return static


class AioProfileProvider(AioProvider):
    """The credentials of a profile, as aiobotocore finds and renews them."""

    def __init__(self, ours: ProfileProvider, bare: UnfittedSession) -> None:
        super().__init__(ours)
        self._bare = bare

    async def load(self) -> Any:
        """Return the profile's credentials.

        Raises:
            InvalidConnectionError: It holds none.
        """
        credentials = await self._bare.get_credentials()  # type: ignore[misc] # AioSession's
        if credentials is None:
            raise no_base_credentials(self._ours.settings)
        return credentials
