"""The names that Airflow's old connection form gave the fields of the extra.

    extra__aws__role_arn    means    role_arn

Source: apache/airflow#27023: needed by its form before Airflow 2.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore_conn_provider.connection.field_reader import Findings

PREFIX = "extra__aws__"


def drop_prefix(extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the extra under the fields' own names; null under an old one is absent."""
    values = {k: v for k, v in extra.items() if not k.startswith(PREFIX)}
    for name, value in extra.items():
        if name.startswith(PREFIX) and value is not None:
            values[name.removeprefix(PREFIX)] = value
    return values


def read_form_names(extra: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """Drop the prefix, with one notice, and a problem for each field given twice."""
    old = [k for k, v in extra.items() if k.startswith(PREFIX) and v is not None]
    if not old:
        return dict(extra)
    findings.notices.append(
        f"names that begin with '{PREFIX}' are deprecated: write them without it."
    )
    for name in old:
        other = extra.get(name.removeprefix(PREFIX))
        if other is not None and other != extra[name]:
            findings.refuse(
                "extra",
                f"has a field twice, once with '{PREFIX}' in front, with two values",
                "Keep the right value, under the name without the prefix.",
            )
    return drop_prefix(extra)
