"""Hand a keeper's credentials to aiobotocore. Imported only where that is.

A coroutine that must wait gives the loop away; the exchange runs in the keeper's
thread, once for every coroutine, thread and loop of the process. A cancelled
waiter leaves it running for the others.
"""

from __future__ import annotations

import asyncio
import datetime
from typing import TYPE_CHECKING

from aiobotocore.credentials import AioCredentials, AioRefreshableCredentials
from botocore.credentials import RefreshableCredentials

from botocore_conn_provider.renewal.loop_wait import take_note, wait_for_renewal
from botocore_conn_provider.sessions.credentials import (
    WARNED_OF,
    CopiedWhole,
    Recipe,
    UrlRules,
    freeze,
    patience_left,
)

if TYPE_CHECKING:
    from botocore.credentials import Credentials, ReadOnlyCredentials

    from botocore_conn_provider.exchange.flow import TemporaryCredentials
    from botocore_conn_provider.renewal.deferred_keeper import DeferredKeeper
    from botocore_conn_provider.renewal.keeper import Keeper
    from botocore_conn_provider.renewal.schedule import Patience

Watch = asyncio.Task[None]
LONG_AGO = datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)


class AioKeptCredentials(CopiedWhole, AioRefreshableCredentials):  # type: ignore[misc] # untyped
    """Credentials that a keeper renews, for who can await.

    The plain properties (`access_key` ...) raise, as aiobotocore's own do: they
    could not but block the loop.
    """

    def __init__(
        self,
        keeper: Keeper | DeferredKeeper,
        *,
        method: str,
        recipe: Recipe,
        urls: UrlRules = WARNED_OF,
    ) -> None:
        # The base class's constructor is not called: it takes keys and a lock of one
        # loop, and neither exists here.
        self.method = method
        self._keeper = keeper
        self._recipe = recipe
        self.urls = urls
        # Each loop touches its own entry only, in its own thread.
        self._watches: dict[asyncio.AbstractEventLoop, Watch] = {}

    @property
    def keeper(self) -> Keeper | DeferredKeeper:
        """What renews them."""
        return self._keeper

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return an immutable set to sign with; waits as `Keeper.current` does.

        Raises:
            ConnProviderError: The renewal failed and there is no set to serve.
        """
        return freeze(await self._current())

    async def get_access_key(self) -> str:
        """Return the access key id of the current set."""
        return str((await self._current()).access_key_id)

    async def get_secret_key(self) -> str:
        """Return the secret key of the current set."""
        return (await self._current()).secret_access_key.reveal()

    async def get_token(self) -> str:
        """Return the session token of the current set."""
        return (await self._current()).session_token.reveal()

    async def get_account_id(self) -> str | None:
        """Return the account of the current set."""
        return (await self._current()).account_id

    async def _current(self) -> TemporaryCredentials:
        patience = patience_left.get()
        while (current := self._keeper.current_nowait(patience)) is None:
            patience = self._keeper.plan_wait(patience)
            # Shielded: the others of this loop wait for the same task.
            await asyncio.shield(self._join(self._keeper.limit_wait(patience)))
        self._keeper = self._keeper.settled
        return current

    async def wait_ahead(
        self, within_seconds: float, *, least_age_seconds: float
    ) -> Patience | None:
        """Renew early and wait for it, as `Keeper.wait_ahead` does.

        Raises:
            ConnProviderError: A renewal has just failed, and there are no valid
                credentials.
        """
        keeper = self._keeper.settled
        patience: Patience | None = None
        while keeper.is_renewal_due(within_seconds):
            renewal = keeper.renew_ahead(
                within_seconds, least_age_seconds=least_age_seconds
            )
            if renewal is None or keeper.is_failing:
                break
            patience = keeper.plan_wait(patience)
            seconds = keeper.limit_wait(patience)
            if not seconds:
                break
            await asyncio.shield(self._join(seconds))
        return patience

    def _join(self, seconds: float) -> Watch:
        """Return the one task of this loop that watches the renewal.

        A thousand coroutines that each watched it would hold the loop up for longer
        than they may when it ends.
        """
        loop = asyncio.get_running_loop()
        watch = self._watches.get(loop)
        if watch is None:
            waits = wait_for_renewal(self._keeper, seconds)
            watch = self._watches[loop] = loop.create_task(waits)
            watch.add_done_callback(self._forget)
        return watch

    def _forget(self, watch: Watch) -> None:
        del self._watches[watch.get_loop()]
        take_note(watch)

    @property
    def _expiry_time(self) -> datetime.datetime:
        """When the current credentials expire; without any: long ago."""
        return self._keeper.expires_at or LONG_AGO

    def refresh_needed(self, refresh_in: float | None = None) -> bool:
        """Return whether fewer than `refresh_in` seconds are left; fetches nothing."""
        return self._keeper.is_renewal_due(refresh_in)

    def __reduce__(self) -> Recipe:
        return self._recipe

    def __repr__(self) -> str:
        return f"AioKeptCredentials(method={self.method!r})"


class AioConnectionCredentials(CopiedWhole, AioCredentials):  # type: ignore[misc] # untyped
    """Static keys of a connection, which a pickle does not hold."""

    def __init__(self, keys: tuple[str, str, str | None], *, recipe: Recipe) -> None:
        super().__init__(*keys, method="conn-static")
        self._recipe = recipe

    def __reduce__(self) -> Recipe:
        return self._recipe


class AioBaseCredentials(CopiedWhole, AioRefreshableCredentials):  # type: ignore[misc] # untyped
    """Credentials of botocore's own chain, for who can await.

    Whether they are refreshed, and when, is botocore's; it happens in a thread.
    """

    def __init__(self, theirs: Credentials) -> None:
        # The base class's constructor is not called: it takes keys of its own.
        self.method = theirs.method
        self._theirs = theirs

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return an immutable set to sign with, refreshed where that is due.

        Raises:
            BotoCoreError: The refresh failed.
        """
        if not isinstance(self._theirs, RefreshableCredentials):
            return self._theirs.get_frozen_credentials()
        loop = asyncio.get_running_loop()
        frozen = self._theirs.get_frozen_credentials
        return await loop.run_in_executor(None, frozen)

    async def get_account_id(self) -> str | None:
        """Return the account, where botocore knows it."""
        return getattr(await self.get_frozen_credentials(), "account_id", None)

    @property
    def _expiry_time(self) -> datetime.datetime | None:
        return getattr(self._theirs, "_expiry_time", None)

    def refresh_needed(self, refresh_in: float | None = None) -> bool:
        """Return whether botocore would refresh them."""
        ask = getattr(self._theirs, "refresh_needed", None)
        return ask is not None and bool(ask(refresh_in))

    def __repr__(self) -> str:
        return f"AioBaseCredentials(method={self.method!r})"
