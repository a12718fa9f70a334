"""Show a field's value as far as it may be seen.

Shown are words that AWS itself shows (ARNs, regions, names). Of a key its end, of
an address scheme and host, of an object its names; of all else that it is there.
"""

from __future__ import annotations

from typing import Any

from botocore_conn_provider.connection.names import describe, show_name
from botocore_conn_provider.connection.strict_json import JsonFaultError, read_json
from botocore_conn_provider.errors import shorten
from botocore_conn_provider.proofs.saml.explanation import find_origin
from botocore_conn_provider.secret import HIDDEN, show_key_id

OPEN = frozenset(
    {
        "region_name",
        "role_arn",
        "profile_name",
        "profile",
        "aws_account_id",
        "aws_iam_role",
        "assume_role_method",
        "assume_role_with_web_identity_federation",
        "assume_role_with_web_identity_token_file",
        "assume_role_with_web_identity_federation_audience",
        "verify",
        "idp_auth_method",
        "principal_arn",
        "mutual_authentication",
        "log_idp_response",
    }
)
KEY_IDS = ("login", "aws_access_key_id")
ADDRESSES = ("endpoint_url", "host", "idp_url")
LONGEST = 200


def show_value(name: str, value: Any) -> str:
    """Return `value` of the field `name` in a form fit for a screen and a ticket."""
    if name in KEY_IDS:
        return show_key_id(str(value))
    if name in OPEN:
        return shorten(str(value), LONGEST)
    if name in ADDRESSES and "://" in str(value):
        return find_origin(str(value))
    names = list_names(value)
    if names is not None:
        return f"({', '.join(map(show_name, names))})"
    return HIDDEN if isinstance(value, str) else describe(value).removeprefix("is ")


def list_names(value: Any) -> list[str] | None:
    """Return the names in an object, also one that a URI wrote as JSON."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = read_json(value)
        except JsonFaultError:  # pragma: no cover - a checked connection has none
            return None
    return list(value) if isinstance(value, dict) else None
