"""A table of Delta Lake by polars, whose bridge it takes for this, too."""

from __future__ import annotations

import functools

import polars

from botocore_conn_provider import bridges

bridge = bridges.polars()
TABLE = "s3://tables/delta"


@functools.cache
def write() -> None:
    polars.DataFrame({"number": [1, 2, 3]}).write_delta(
        TABLE, credential_provider=bridge, storage_options=bridge.storage_options
    )


def read() -> int:
    write()
    frame = polars.scan_delta(
        TABLE, credential_provider=bridge, storage_options=bridge.storage_options
    )
    return int(frame.collect().height)
