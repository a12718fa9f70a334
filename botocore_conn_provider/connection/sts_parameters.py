"""Read `assume_role_kwargs`: the parameters of the STS call other than the role.

Their types are checked against botocore's model of STS in `exchange.checks`. Here only
the form of two texts is checked, because STS refuses the call if it is wrong.

Source: docs/specification.md, section 2.5; patterns from the AWS STS API reference.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.redaction import describe_value

if TYPE_CHECKING:
    from botocore_conn_provider.connection.field_reader import FieldReader

# Texts, compiled at their first use: most connections have neither.
SESSION_NAME = r"[\w+=,.@-]{2,64}"
EXTERNAL_ID = r"[\w+=,.@:/-]{2,1224}"


def read_parameters(reader: FieldReader) -> dict[str, Any]:
    """Read `assume_role_kwargs` without RoleArn, which comes from `role_arn`."""
    inner = reader.object("assume_role_kwargs")
    if inner is None:
        return {}
    parameters = {name: inner.peek(name) for name in inner.names()}
    for name, pattern in (
        ("RoleSessionName", SESSION_NAME),
        ("ExternalId", EXTERNAL_ID),
    ):
        judge_pattern(inner, name, pattern)
    return {
        name: value
        for name, value in parameters.items()
        if value is not None and name != "RoleArn"
    }


def judge_pattern(reader: FieldReader, name: str, pattern: str) -> None:
    """Refuse the text `name` unless it matches `pattern`."""
    value = reader.text(name)
    if value is not None and not re.fullmatch(pattern, value, re.ASCII):
        reader.refuse(
            name,
            f"{describe_value(value)} that STS refuses",
            f"Use only the characters and the length of {pattern}.",
        )
