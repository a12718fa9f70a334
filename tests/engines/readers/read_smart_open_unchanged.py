"""smart_open, as it is."""

from __future__ import annotations

import smart_open

import botocore_conn_provider

botocore_conn_provider.install()


def read() -> int:
    with smart_open.open("s3://tables/numbers.parquet", "rb") as file:
        return len(file.read())
