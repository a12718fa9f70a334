"""RDS and Aurora: each new database connection signs in with a token of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, create_engine, event

if TYPE_CHECKING:
    import boto3


def make_engine(url: str, session: boto3.Session) -> Engine:
    """Return an engine for a URL such as postgresql+psycopg://app@HOST:5432/orders."""
    engine = create_engine(url)
    rds = session.client("rds")

    def add_token(_dialect: Any, _record: Any, _args: Any, params: Any) -> None:
        params["password"] = rds.generate_db_auth_token(
            DBHostname=params["host"], Port=params["port"], DBUsername=params["user"]
        )

    event.listen(engine, "do_connect", add_token)
    return engine
