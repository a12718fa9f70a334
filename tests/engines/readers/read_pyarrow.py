"""pyarrow, by its bridge."""

from __future__ import annotations

import functools

from pyarrow import dataset

from botocore_conn_provider import bridges

files = bridges.pyarrow()


@functools.cache
def open_table() -> dataset.Dataset:
    """Return the table, opened once."""
    return dataset.dataset("tables/numbers.parquet", filesystem=files)


def read() -> int:
    return int(open_table().to_table().num_rows)
