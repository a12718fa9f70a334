"""The bridge to DuckDB: a temporary secret that is kept fresh.

DuckDB copies keys into a secret, and asks nobody when they end. So a background thread
puts new ones there whenever they are renewed, until the connection is closed.

Source: DuckDB's documentation of `CREATE SECRET`. Tried with 1.3.0 and 1.4.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore_conn_provider.bridges.duckdb_renewal import SecretRenewal
from botocore_conn_provider.bridges.duckdb_secret import KeptSecret
from botocore_conn_provider.bridges.lending import Lender
from botocore_conn_provider.bridges.library import import_library
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    from collections.abc import Sequence

# What DuckDB gives a secret of S3 that names no scope.
WHOLE_S3 = ("s3://", "s3n://", "s3a://")


@scrubbed
def duckdb(
    connection: Any,
    conn_id: str | None = None,
    *,
    scope: str | Sequence[str] | None = None,
) -> str:
    """Create a temporary secret for S3 in DuckDB, keep it fresh, and return its name.

    It is kept fresh until the connection is closed or let go, or the secret is dropped.
    The first credentials are fetched here. A secret of ours for the same scope goes.
    Where several secrets are for a path, DuckDB takes the one with the longest scope.

    Args:
        connection: DuckDB's. The secret is for all that its database is used by.
        conn_id: The connection; None for that of the process.
        scope: The prefixes of paths that it is for, as `s3://lake`; None for all of S3.

    Raises:
        InvalidConnectionError: The connection is wrong, or not there.
        CredentialFetchError: There are no credentials to be had, or another secret has
            the same scope: DuckDB would choose between the two.
        duckdb.Error: DuckDB cannot create it; its extension `httpfs` may be missing.
        MissingDependencyError: DuckDB is not installed.

    Example:
        bridges.duckdb(database, "aws_lake", scope="s3://lake")
        database.sql("FROM 's3://lake/orders/*.parquet'")
    """
    lender = Lender(conn_id)
    library = import_library("duckdb", conn_id=lender.conn_id)
    if connection is library.default_connection():
        connection = library  # which stays: that connection is a new object each time
    secret = KeptSecret(lender, _list_scopes(scope))
    secret.create(connection)
    if secret.lent.ends_at is not None:
        SecretRenewal(secret, connection).start()
    return secret.name


def _list_scopes(scope: str | Sequence[str] | None) -> tuple[str, ...]:
    if scope is None:
        return WHOLE_S3
    return (scope,) if isinstance(scope, str) else tuple(scope)
