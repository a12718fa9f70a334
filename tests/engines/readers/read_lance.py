"""lance, by its bridge. It writes the table that it reads."""

from __future__ import annotations

import functools

import lance
import pyarrow

from botocore_conn_provider import bridges

namespace = bridges.lance()
TABLE = ["s3://tables/numbers.lance"]


@functools.cache
def open_table() -> lance.LanceDataset:
    """Return the table, opened once."""
    numbers = pyarrow.table({"number": [1, 2, 3]})
    lance.write_dataset(
        numbers, namespace_client=namespace, table_id=TABLE, mode="create"
    )
    return lance.dataset(namespace_client=namespace, table_id=TABLE)


def read() -> int:
    return int(open_table().to_table().num_rows)
