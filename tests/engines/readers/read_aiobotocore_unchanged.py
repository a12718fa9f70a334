"""aiobotocore, as it is: one client for all the time."""

from __future__ import annotations

import asyncio

from aiobotocore.session import get_session

import botocore_conn_provider

botocore_conn_provider.install()
loop = asyncio.new_event_loop()
s3 = loop.run_until_complete(get_session().create_client("s3").__aenter__())


def read() -> int:
    found = loop.run_until_complete(s3.list_objects_v2(Bucket="tables"))
    return len(found["Contents"])
