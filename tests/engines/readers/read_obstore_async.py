"""obstore's functions that are awaited, by its bridge."""

from __future__ import annotations

import asyncio

import obstore
from obstore.store import S3Store

from botocore_conn_provider import bridges

bridge = bridges.obstore(asynchronous=True)
store = S3Store(
    "tables", credential_provider=bridge, client_options=bridge.client_options
)
loop = asyncio.new_event_loop()


async def ask() -> int:
    return len(await obstore.list(store).collect_async())


def read() -> int:
    return loop.run_until_complete(ask())
