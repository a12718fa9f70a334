"""List a bucket with aiobotocore."""

from __future__ import annotations

import asyncio
import sys

from aiobotocore.session import get_session


async def ask() -> None:
    """List the bucket."""
    made = get_session().create_client(
        "s3", endpoint_url=sys.argv[1], region_name="us-east-1"
    )
    async with made as s3:
        await s3.list_objects_v2(Bucket="whoami")


asyncio.run(ask())
