"""polars, by its bridge."""

from __future__ import annotations

import polars

from botocore_conn_provider import bridges

bridge = bridges.polars()


def read() -> int:
    frame = polars.scan_parquet(
        "s3://tables/numbers.parquet",
        credential_provider=bridge,
        storage_options=bridge.storage_options,
    )
    return int(frame.collect().height)
