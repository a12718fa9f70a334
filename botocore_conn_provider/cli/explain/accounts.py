"""Find accounts without asking: a role's stands in its ARN, a key's in its id.

Source: AWS Security Blog and IAM User Guide on unique identifiers; that the id
holds the account is observed of ids since 2019 and not promised, so it is used to
advise, never to decide.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import StaticKeys

KEY_ID_LENGTH = 20
PREFIX_LENGTH = 4
FIRST_NEW_LETTER = "Q"  # ids before 2019 hold no account


def find_role_account(role_arn: str) -> str:
    """Return the account of a role's ARN."""
    return role_arn.split(":")[4]


def find_key_account(keys: StaticKeys) -> str | None:
    """Return the account of keys: as told, else as read from the id."""
    if keys.account_id is not None:
        return keys.account_id
    key_id = keys.access_key_id
    if len(key_id) != KEY_ID_LENGTH or key_id[PREFIX_LENGTH] < FIRST_NEW_LETTER:
        return None
    try:
        number = int.from_bytes(base64.b32decode(key_id[PREFIX_LENGTH:])[:6], "big")
    except binascii.Error:
        return None
    return f"{(number & 0x7FFFFFFFFF80) >> 7:012d}"
