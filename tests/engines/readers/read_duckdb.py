"""DuckDB, by its bridge."""

from __future__ import annotations

import duckdb

from botocore_conn_provider import bridges

database = duckdb.connect(config={"autoinstall_known_extensions": "false"})
database.execute("LOAD httpfs")
bridges.duckdb(database, scope="s3://tables")


def read() -> int:
    found = database.execute("SELECT count(*) FROM 's3://tables/numbers.parquet'")
    row = found.fetchone()
    assert row is not None
    return int(row[0])
