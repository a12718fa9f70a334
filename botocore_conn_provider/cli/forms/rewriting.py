"""Rewrite deprecated fields into those that replace them, meaning unchanged.

Source: docs/specification.md, section 2.12.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore_conn_provider.connection.extra import drop_prefix
from botocore_conn_provider.connection.settings import AssumeRole
from botocore_conn_provider.connection.strict_json import JsonFaultError, read_json
from botocore_conn_provider.secret import Options

if TYPE_CHECKING:
    from botocore_conn_provider.connection.record import Connection

KEYS = ("aws_access_key_id", "aws_secret_access_key")


def rewrite(connection: Connection) -> Connection:
    """Return the connection without deprecated fields.

    One stays: the account of the keys has no place but `session_kwargs`.
    """
    extra = {k: v for k, v in drop_prefix(connection.extra).items() if v is not None}
    _spread_session_kwargs(extra, has_login=connection.login is not None)
    _rename(extra, "host", "endpoint_url")
    _rename(extra, "profile", "profile_name")
    _join_role(extra, connection)
    _move_external_id(extra, connection)
    return connection._replace(extra=Options(extra))


def _spread_session_kwargs(extra: dict[str, Any], *, has_login: bool) -> None:
    inner = _read_object(extra.pop("session_kwargs", None))
    if has_login or KEYS[0] in extra:  # these keys lose, and say nothing
        inner = {k: v for k, v in inner.items() if k not in KEYS}
    account_id = inner.pop("aws_account_id", None)
    if extra.get("aws_session_token") == "":
        del extra["aws_session_token"]
    # The old name stands before the inner one, which stands before none.
    _rename(extra, "profile", "profile_name")
    for name, value in inner.items():
        extra.setdefault(name, value)
    if account_id is not None:
        extra["session_kwargs"] = {"aws_account_id": account_id}


def _read_object(value: Any) -> dict[str, Any]:
    """Return an object, which a URI writes as JSON, without its nulls."""
    try:
        given = read_json(value) if isinstance(value, str) else value
    except JsonFaultError:  # pragma: no cover - a checked connection has none
        return {}
    return {k: v for k, v in (given or {}).items() if v is not None}


def _rename(extra: dict[str, Any], old: str, new: str) -> None:
    value = extra.pop(old, None)
    if value is not None:
        extra.setdefault(new, value)


def _join_role(extra: dict[str, Any], connection: Connection) -> None:
    old = [extra.pop(name, None) for name in ("aws_account_id", "aws_iam_role")]
    role = connection.settings.role
    if role is not None and any(old):
        extra["role_arn"] = role.role_arn


def _move_external_id(extra: dict[str, Any], connection: Connection) -> None:
    """Move it where it counts; elsewhere nothing reads it."""
    external_id = extra.pop("external_id", None)
    if external_id is None or not isinstance(connection.settings.role, AssumeRole):
        return
    parameters = _read_object(extra.get("assume_role_kwargs"))
    parameters.setdefault("ExternalId", external_id)
    extra["assume_role_kwargs"] = parameters
