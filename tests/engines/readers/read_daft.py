"""daft, by its bridge."""

from __future__ import annotations

import daft

from botocore_conn_provider import bridges

settings = bridges.daft()


def read() -> int:
    table = daft.read_parquet("s3://tables/numbers.parquet", io_config=settings)
    return len(table.to_pydict()["number"])
