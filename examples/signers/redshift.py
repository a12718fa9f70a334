"""Redshift: each database connection signs in with a password of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redshift_connector

if TYPE_CHECKING:
    import boto3


def connect(cluster: str, user: str, session: boto3.Session, **where: Any) -> Any:
    """Return a connection; `where` is its host, database and the like."""
    login = session.client("redshift").get_cluster_credentials(
        ClusterIdentifier=cluster, DbUser=user
    )
    return redshift_connector.connect(
        user=login["DbUser"], password=login["DbPassword"], **where
    )
