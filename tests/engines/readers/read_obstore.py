"""obstore, by its bridge."""

from __future__ import annotations

import obstore
from obstore.store import S3Store

from botocore_conn_provider import bridges

bridge = bridges.obstore()
store = S3Store(
    "tables", credential_provider=bridge, client_options=bridge.client_options
)


def read() -> int:
    return len(obstore.list(store).collect())
