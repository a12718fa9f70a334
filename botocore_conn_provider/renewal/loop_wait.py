"""Wait on an event loop for a keeper's renewal, which runs in a thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore_conn_provider.renewal.deferred_keeper import DeferredKeeper
    from botocore_conn_provider.renewal.keeper import Keeper

# A renewal that hangs is given up by the first caller after its deadline: so ask.
ASK_AGAIN_SECONDS = 1.0


async def wait_for_renewal(keeper: Keeper | DeferredKeeper, seconds: float) -> None:
    """Wait for the running renewal, for a second at most, without raising its error.

    The keeper knows whether credentials are still valid, and remembers the error if
    none are. Who is cancelled leaves the renewal running for the others.

    Raises:
        ConnProviderError: A renewal has just failed, and there are no valid
            credentials.
    """
    renewal = asyncio.wrap_future(keeper.renewal())
    renewal.add_done_callback(take_note)
    await asyncio.wait({renewal}, timeout=min(seconds, ASK_AGAIN_SECONDS))


def take_note(ended: asyncio.Future[Any]) -> None:
    """Mark its error as seen; else asyncio logs it, once more."""
    if not ended.cancelled():
        ended.exception()
