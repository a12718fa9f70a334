"""Read what `airflow connections get -o json` prints: a record, alone or in a list.

    [{"conn_id": "aws", "conn_type": "aws", "login": …, "extra_dejson": {…},
      "get_uri": "aws://…"}]

Its values are text, whatever they were (`False` for `false`), except in `get_uri`,
which is why that counts where it is there.

Source: Apache Airflow, `airflow connections get`.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from botocore_conn_provider.connection.environment import DEFAULT_CONN_ID, is_conn_id
from botocore_conn_provider.connection.field_reader import Findings
from botocore_conn_provider.connection.strict_json import JsonFaultError, read_json
from botocore_conn_provider.connection.uri_form import parse_uri
from botocore_conn_provider.errors import InvalidConnectionError, Problem

# A profile's header has none of these behind its bracket.
LIST = re.compile(r"\s*\[\s*[\[\]{\"]")
RECORD_FIELDS = ("login", "password", "host", "port", "schema", "description")
MARKS = ("get_uri", "extra_dejson", "is_encrypted", "is_extra_encrypted")
MASK = "***"
DEPTH_OF_LIST = 43  # two more than a connection's own


class Printed(NamedTuple):
    """What was printed. `text` is secret, and the repr does not show it."""

    conn_id: str | None
    text: str

    def __repr__(self) -> str:
        return "Printed(***)"


def find_printed(text: str) -> Printed | None:
    """Return the connection that was printed; None for a text of another form.

    Raises:
        InvalidConnectionError: It is such an output, and not of one connection, or
            has no field, or hides its values.
    """
    is_list = LIST.match(text) is not None
    if not is_list and not text.lstrip().startswith("{"):
        return None
    try:
        document = read_json(text, deepest=DEPTH_OF_LIST)
    except JsonFaultError as fault:
        if not is_list:  # the reader of a connection says the same of it
            return None
        raise _refuse(
            "connection", f"is broken JSON: {fault}", "Copy it whole."
        ) from None
    if not is_list:
        return _read_record(document) if _is_printed(document) else None
    if len(document) != 1 or not isinstance(document[0], dict):
        seen = f"is a list of {len(document)}, not of one connection"
        raise _refuse("connection", seen, "Give one: airflow connections get ID.")
    return _read_record(document[0])


def _is_printed(document: dict[str, Any]) -> bool:
    return any(name in document for name in MARKS)


def _read_record(record: dict[str, Any]) -> Printed:
    conn_id = record.get("conn_id")
    named = conn_id if isinstance(conn_id, str) and is_conn_id(conn_id) else None
    uri = record.get("get_uri")
    fields = {
        name: record[name]
        for name in RECORD_FIELDS
        if record.get(name) not in (None, "")
    }
    _refuse_masked(fields, named)
    if isinstance(uri, str) and uri.strip():
        _compare(fields, uri, named)
        return Printed(named, uri)
    extra = record.get("extra_dejson") or record.get("extra")
    conn_type = record.get("conn_type")
    if not conn_type or not (fields or extra or "extra_dejson" in record):
        seen = "is a list or record without a field of a connection"
        raise _refuse("connection", seen, "Check what is printed.", conn_id=named)
    document = {"conn_type": conn_type, **fields}
    return Printed(named, json.dumps(document | ({"extra": extra} if extra else {})))


def _refuse_masked(fields: dict[str, Any], conn_id: str | None) -> None:
    for name in ("login", "password"):
        if fields.get(name) == MASK:
            seen, fix = "is hidden by Airflow", "Print the connection with its secrets."
            raise _refuse(name, seen, fix, conn_id=conn_id)


def _compare(fields: dict[str, Any], uri: str, conn_id: str | None) -> None:
    """Refuse a record of which a part was changed by hand."""
    told = parse_uri(uri.strip(), Findings())
    for name in ("login", "password"):
        if name in fields and fields[name] != getattr(told, name):
            seen, fix = "is another than in 'get_uri'", "Keep the right one of the two."
            raise _refuse(name, seen, fix, conn_id=conn_id)


def _refuse(
    field: str, seen: str, fix: str, *, conn_id: str | None = None
) -> InvalidConnectionError:
    return InvalidConnectionError(
        conn_id=conn_id or DEFAULT_CONN_ID,
        problems=[Problem(field, seen, fix)],
        variable="standard input",
    )
