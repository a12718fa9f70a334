"""pyiceberg by fsspec, as it is."""

from __future__ import annotations

import functools

import botocore_conn_provider

botocore_conn_provider.install()

from tests.engines.iceberg_table import open_table  # noqa: E402 - after it

find_table = functools.cache(open_table)


def read() -> int:
    table = find_table("pyiceberg.io.fsspec.FsspecFileIO")
    return int(table.scan().to_arrow().num_rows)
