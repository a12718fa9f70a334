"""The fields of the record, and the readers that both of its forms share.

Source: docs/specification.md, section 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore_conn_provider.connection.strict_json import JsonFaultError, read_json
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from botocore_conn_provider.connection.field_reader import Findings

LARGEST_PORT = 65535
_MARKS = str.maketrans("", "", "+._-")


class RecordFields(Value):
    """The fields of the record as text and numbers, before they are checked."""

    conn_type: str = "aws"
    login: str | None = None
    password: str | None = None
    host: str | None = None
    port: int | None = None
    schema: str | None = None
    description: str | None = None
    extra: dict[str, Any] = {}  # noqa: RUF012 - never changed, only replaced

    def __repr__(self) -> str:
        return f"RecordFields({self.conn_type})"


def is_scheme(text: str) -> bool:
    """Return whether `text` can be a URI's scheme, and so a connection's type."""
    plain = text.translate(_MARKS)
    return text[:1].isalpha() and text.isascii() and plain.isalnum()


def conn_type_of(scheme: str) -> str:
    """Return the connection type that a URI scheme stands for."""
    return scheme.lower().replace("-", "_")


def read_port(value: object, findings: Findings) -> int | None:
    """Read an integer or its digits; None if it is absent."""
    if value is None or value == "":
        return None
    digits = str(value) if not isinstance(value, bool) else ""
    if is_port(digits):
        return int(digits)
    findings.refuse(
        "port",
        f"is not a number from 0 to {LARGEST_PORT}",
        "Remove it (it is not used for AWS). If it is a part of the login or password,"
        " percent-encode that (/ is %2F, ? is %3F, # is %23, @ is %40).",
    )
    return None


def is_port(digits: str) -> bool:
    """Return whether `digits` are a port number."""
    if not digits.isascii() or not digits.isdigit() or len(digits) > len("65535"):
        return False
    return int(digits) <= LARGEST_PORT


def read_extra(value: object, field: str, findings: Findings) -> dict[str, Any]:
    """Read the extra: an object, or text that is one in JSON; empty if it is falsy."""
    if isinstance(value, str) and value.strip():
        try:
            value = read_json(value)
        except JsonFaultError as fault:
            findings.refuse(field, f"is not JSON: {fault}", "Fix the JSON.")
            return {}
    if not value or (isinstance(value, str) and not value.strip()):
        return {}
    if isinstance(value, dict):
        return value
    findings.refuse(field, "is not an object", 'Write an object: {"…": …}.')
    return {}
