"""The resolver for aiobotocore's sessions. Imported only where aiobotocore is.

Whatever the connection starts from is resolved by botocore's own providers, in a
thread: what holds for them holds here. aiobotocore's chain serves sessions to which no
connection applies.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiobotocore.credentials

from botocore_conn_provider.sessions.aio.aio_credentials import (
    AioBaseCredentials,
    AioConnectionCredentials,
    AioKeptCredentials,
)
from botocore_conn_provider.sessions.providers import (
    ConnectionProvider,
    RoleProvider,
    StaticProvider,
)
from botocore_conn_provider.sessions.resolver import FittedResolver

if TYPE_CHECKING:
    import botocore.session
    from botocore.credentials import CredentialProvider

    from botocore_conn_provider.exchange.session_view import SessionView


class AioFittedResolver(FittedResolver, aiobotocore.credentials.AioCredentialResolver):  # type: ignore[misc] # untyped
    """aiobotocore's resolver with the connection's provider at its head."""

    async def load_credentials(self) -> Any:  # type: ignore[override] # awaited here
        """Load from our provider, which returns or raises; else from the chain."""
        ours = self._find_only_provider()
        if ours is not None:
            self.found = await AioProvider(ours).load()
        else:
            load = aiobotocore.credentials.AioCredentialResolver.load_credentials
            self.found = await load(self)
        return self.found

    def _take_view(self) -> SessionView:
        # Its handlers are awaited; an exchange is botocore's, which awaits none.
        return super()._take_view()._replace(events=None)

    def _list_own(
        self, session: botocore.session.Session, region_name: str | None
    ) -> list[Any]:
        chain = aiobotocore.credentials.create_credential_resolver(
            session, region_name=region_name
        )
        return list(chain.providers)

    def _adapt(self, providers: list[Any]) -> list[Any]:
        return [AioProvider(provider) for provider in providers]


class AioProvider:
    """A provider of botocore's kind whose `load` can be awaited."""

    def __init__(self, theirs: ConnectionProvider | CredentialProvider) -> None:
        self.METHOD = theirs.METHOD
        self.CANONICAL_NAME = theirs.CANONICAL_NAME
        self._theirs = theirs

    async def load(self) -> Any:
        """Return the credentials, as aiobotocore's kind; None if there are none.

        Botocore's own providers may ask the network, so they run in a thread.
        """
        if isinstance(self._theirs, StaticProvider | RoleProvider):
            return self.load_now()
        # With the context, in which botocore notes features for the User-Agent.
        return await asyncio.to_thread(self.load_now)

    def load_now(self) -> Any:
        """Do it without a loop: unpickling has none."""
        theirs = self._theirs
        if isinstance(theirs, RoleProvider):
            return AioKeptCredentials(
                theirs.defer_keeper(),
                method=theirs.METHOD,
                recipe=theirs.make_aio_recipe(),
                urls=theirs.find_url_rules(),
            )
        loaded = theirs.load()
        if isinstance(theirs, StaticProvider):
            static = AioConnectionCredentials(
                (loaded.access_key, loaded.secret_key, loaded.token),
                recipe=theirs.make_aio_recipe(),
            )
            # An attribute, because the oldest constructor does not take it.
            static.account_id = vars(loaded).get("account_id")
            return static
        return None if loaded is None else AioBaseCredentials(loaded)
