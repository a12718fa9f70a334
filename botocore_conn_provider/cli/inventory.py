"""List every field that a connection may have, with what this one says there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore_conn_provider.cli.meanings import EXTRA, RECORD, SAML, Meaning
from botocore_conn_provider.cli.showing import show_value
from botocore_conn_provider.connection.strict_json import JsonFaultError, read_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore_conn_provider.connection.record import Connection

SAML_FIELD = "assume_role_with_saml"


def list_fields(connection: Connection) -> list[dict[str, Any]]:
    """Return a row for each field; values as far as they may be seen."""
    record = {name: _reveal_nothing(getattr(connection, name)) for name in RECORD}
    inner = _read_object(connection.extra.get(SAML_FIELD))
    return [
        *_list(RECORD, record, source="the record", prefix=""),
        *_list(EXTRA, connection.extra, source="the extra", prefix=""),
        *_list(SAML, inner, source="the extra", prefix=f"{SAML_FIELD}."),
    ]


def _reveal_nothing(value: Any) -> Any:
    """Return a value that is there as such; a secret as its stars."""
    return value if value is None or isinstance(value, (str, int)) else str(value)


def _list(
    meanings: Mapping[str, Meaning],
    values: Mapping[str, Any],
    *,
    source: str,
    prefix: str,
) -> Iterator[dict[str, Any]]:
    for name, meaning in meanings.items():
        value = values.get(name)
        yield {
            "name": prefix + name,
            "present": value is not None,
            "value": None if value is None else show_value(name, value),
            "source": "the default" if value is None else source,
            "meaning": meaning.text,
            "default": meaning.default or "none",
            "instead": meaning.instead or None,
        }


def _read_object(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = read_json(value)
        except JsonFaultError:  # pragma: no cover - a checked connection has none
            return {}
    return value if isinstance(value, dict) else {}
