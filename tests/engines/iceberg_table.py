"""A table of Iceberg in the bucket, opened once, by the file access that is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow
from pyiceberg.catalog.memory import InMemoryCatalog

from botocore_conn_provider import Connection

if TYPE_CHECKING:
    from pyiceberg.table import Table


def open_table(access: str) -> Table:
    """Write the table, and return it."""
    settings = {
        "warehouse": "s3://tables",
        "py-io-impl": access,
        "s3.endpoint": str(Connection.from_env().extra["endpoint_url"]),
        "s3.region": "us-east-1",
    }
    catalog = InMemoryCatalog("memory", **settings)
    catalog.create_namespace("lake")
    numbers = pyarrow.table({"number": [1, 2, 3]})
    table = catalog.create_table("lake.numbers", schema=numbers.schema)
    table.append(numbers)
    return table
