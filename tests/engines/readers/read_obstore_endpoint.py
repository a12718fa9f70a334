"""obstore without a bridge, by the endpoint."""

from __future__ import annotations

import botocore_conn_provider
from botocore_conn_provider import Connection

botocore_conn_provider.install(engines=True)

import obstore  # noqa: E402 - after the endpoint is there
from obstore.store import S3Store  # noqa: E402 - after the endpoint is there

place = str(Connection.from_env().extra["endpoint_url"])
store = S3Store(
    "tables",
    endpoint=place,
    region="us-east-1",
    client_options={"allow_http": True},
)


def read() -> int:
    return len(obstore.list(store).collect())
