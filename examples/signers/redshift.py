"""Redshift: a database password for each connection, asked for by the connection's role."""

from __future__ import annotations

from typing import Any

import redshift_connector

import botocore_conn_provider

botocore_conn_provider.install()


def connect(cluster: str, user: str, database: str, **options: Any) -> Any:
    """Return a connection to a provisioned cluster."""
    return redshift_connector.connect(
        iam=True,
        # Its cache would hand the password of one identity to the next.
        iam_disable_cache=True,
        cluster_identifier=cluster,
        db_user=user,
        database=database,
        **options,
    )
