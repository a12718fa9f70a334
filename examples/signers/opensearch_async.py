"""OpenSearch with asyncio: the first exchange is made before the loop has to wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from botocore.exceptions import NoCredentialsError
from opensearchpy import AsyncHttpConnection, AsyncOpenSearch, AWSV4SignerAsyncAuth

if TYPE_CHECKING:
    import boto3


async def connect(url: str, session: boto3.Session) -> AsyncOpenSearch:
    """Return a client of the domain at `url`."""
    credentials = session.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    await asyncio.to_thread(credentials.get_frozen_credentials)
    auth = AWSV4SignerAsyncAuth(credentials, session.region_name)
    return AsyncOpenSearch(url, http_auth=auth, connection_class=AsyncHttpConnection)
