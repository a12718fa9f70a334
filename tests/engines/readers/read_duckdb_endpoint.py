"""DuckDB without a bridge, by the endpoint: a secret of its credential chain."""

from __future__ import annotations

from urllib.parse import urlsplit

import botocore_conn_provider
from botocore_conn_provider import Connection

botocore_conn_provider.install(engines=True)

import duckdb  # noqa: E402 - after the endpoint is there

place = urlsplit(str(Connection.from_env().extra["endpoint_url"])).netloc
database = duckdb.connect(config={"autoinstall_known_extensions": "false"})
database.execute("LOAD httpfs; LOAD aws")
database.execute(
    "CREATE SECRET (TYPE s3, PROVIDER credential_chain, REGION 'us-east-1',"
    f" ENDPOINT '{place}', URL_STYLE 'path', USE_SSL false, REFRESH auto)"
)


def read() -> int:
    found = database.execute("SELECT count(*) FROM 's3://tables/numbers.parquet'")
    row = found.fetchone()
    assert row is not None
    return int(row[0])
