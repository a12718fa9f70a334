"""Read and write Airflow's JSON form of a connection.

    {"conn_type": "aws", "login": …, "password": …, "extra": {…}}

Source: docs/specification.md, section 1.3.
"""

from __future__ import annotations

import json
from typing import Any

from botocore_conn_provider.connection.extra import KNOWN_FIELDS
from botocore_conn_provider.connection.field_reader import FieldReader, Findings
from botocore_conn_provider.connection.fields import (
    RecordFields,
    conn_type_of,
    is_scheme,
    read_extra,
    read_port,
)
from botocore_conn_provider.connection.strict_json import (
    DEEPEST,
    JsonFaultError,
    read_json,
)
from botocore_conn_provider.redaction import describe_value, show_name


def parse_json(text: str, findings: Findings) -> RecordFields:
    """Read the JSON form, which begins with `{`.

    What is wrong is added to `findings`, and its field reads as absent.
    """
    try:
        # One level deeper than a URI's extra, so that each extra can be written here.
        document = read_json(text, deepest=DEEPEST + 1)
    except JsonFaultError as fault:
        findings.refuse("connection", f"is broken JSON: {fault}", "Fix the JSON.")
        return RecordFields()
    reader = FieldReader(document, path="", findings=findings)
    fields = RecordFields(
        conn_type=_read_conn_type(reader),
        login=reader.text("login", empty_is_absent=True),
        password=reader.text("password", empty_is_absent=True),
        host=reader.text("host", empty_is_absent=True),
        port=read_port(reader.peek("port"), findings),
        schema=reader.text("schema", empty_is_absent=True),
        description=reader.text("description", empty_is_absent=True),
        extra=read_extra(reader.peek("extra"), "extra", findings),
    )
    _refuse_unknown(reader)
    return fields


def write_json(fields: RecordFields) -> str:
    """Write the JSON form, without the fields that are absent."""
    document: dict[str, Any] = {
        name: value
        for name, value in fields._asdict().items()
        if value is not None and value != {}
    }
    return json.dumps(document, allow_nan=False)


def _read_conn_type(reader: FieldReader) -> str:
    conn_type = reader.text("conn_type", empty_is_absent=True)
    if conn_type is None or is_scheme(conn_type):
        return conn_type_of(conn_type or "aws")
    reader.refuse("conn_type", describe_value(conn_type), "Write aws.")
    return "aws"


def _refuse_unknown(reader: FieldReader) -> None:
    """Refuse unknown top-level names; suggest moving those of the extra."""
    for name, near in reader.left_over():
        # Imported here: most connections have no unknown name.
        from botocore_conn_provider.connection.spelling import find_near

        in_extra = name if name in KNOWN_FIELDS else find_near(name, KNOWN_FIELDS)
        if name in KNOWN_FIELDS or (in_extra and not near):
            fix = f"Move it into 'extra' as '{in_extra}'."
        elif near:
            fix = f"Did you mean '{near}'?"
        else:
            fix = "Remove it, or move it into 'extra'."
        shown = show_name(name, near=near or in_extra)
        reader.refuse(shown, "is not a field of a connection", fix)
