"""Read the identity before any role: keys in the connection, a profile, or neither.

Source: docs/specification.md, sections 2.1 to 2.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.connection.field_reader import (
    RETYPE,
    FieldReader,
    is_key_text,
)
from botocore_conn_provider.connection.settings import StaticKeys
from botocore_conn_provider.redaction import describe_value
from botocore_conn_provider.secret import KeyId, Secret

if TYPE_CHECKING:
    from botocore_conn_provider.connection.field_reader import Findings
    from botocore_conn_provider.connection.fields import RecordFields

ACCOUNT_DIGITS = 12
# Unicode categories: control characters, line and paragraph separators.
NEVER_IN_A_SECRET = ("Cc", "Zl", "Zp")
PAIR = ("aws_access_key_id", "aws_secret_access_key")

KeyPair = tuple[KeyId, Secret]


def read_keys(
    fields: RecordFields, extra: FieldReader, session: FieldReader
) -> StaticKeys | None:
    """Read the keys: login and password, else the extra's, else session_kwargs'.

    The session token belongs to the keys that are used.
    """
    pairs = [
        _read_login(fields, extra),
        _read_pair(extra),
        _read_pair(session),
    ]
    inner_token = session.secret("aws_session_token", empty_is_absent=True)
    token = extra.secret("aws_session_token", empty_is_absent=True) or inner_token
    account_id = read_account_id(session, "aws_account_id")
    pair = next((pair for pair in pairs if pair is not None), None)
    if pair is not None:
        return StaticKeys(pair[0], pair[1], token, account_id)
    if not _has_any_key(fields, extra, session):
        _refuse_orphans(extra, session, token=token, account_id=account_id)
    return None


def read_profile_name(extra: FieldReader, session: FieldReader) -> str | None:
    """Read the profile's name, from the current field or a deprecated one."""
    name = extra.text("profile_name")
    old = extra.text("profile")
    if extra.has("profile"):
        extra.findings.notices.append("'profile' is deprecated: write 'profile_name'.")
    inner = session.text("profile_name")
    return name or old or inner


def refuse_dropped_fields(extra: FieldReader) -> None:
    """Refuse the former fields that named a file with keys."""
    for name in ("s3_config_file", "s3_config_format"):
        if extra.has(name):
            extra.refuse(
                name,
                "is no longer supported",
                "Move the keys into a profile of the AWS credentials file and name"
                " it in 'profile_name'.",
            )


def read_account_id(reader: FieldReader, name: str) -> str | None:
    """Read an account id: 12 digits as text, or an integer of 12 digits."""
    value = reader.raw(name) if not _is_text(reader, name) else reader.text(name)
    if value is None:
        return None
    digits = "" if isinstance(value, (bool, float)) else str(value)
    if digits.isascii() and digits.isdigit() and len(digits) == ACCOUNT_DIGITS:
        return digits
    reader.refuse(
        name,
        f"{describe_value(value)}, not an account id",
        f"Write its {ACCOUNT_DIGITS} digits as text, with any leading zeros.",
    )
    return None


def _is_text(reader: FieldReader, name: str) -> bool:
    return isinstance(reader.peek(name), str)


def _read_login(fields: RecordFields, extra: FieldReader) -> KeyPair | None:
    login, password = fields.login, fields.password
    if login is None and password is None:
        return None
    findings = extra.findings
    for name, value in (("login", login), ("password", password)):
        if findings.has_refused(name):
            continue
        if value is None:
            other = "password" if name == "login" else "login"
            findings.refuse(
                name,
                f"is missing, although '{other}' is given",
                "Give both (access key id and secret key) or neither.",
            )
        elif name == "password":
            judge_secret_key(value, name, findings)
        elif not is_key_text(value):
            findings.refuse(
                name,
                "contains whitespace or characters that keys never contain",
                RETYPE,
            )
    return (KeyId(login), Secret(password)) if login and password else None


def _read_pair(reader: FieldReader) -> KeyPair | None:
    key_id = reader.secret("aws_access_key_id")
    secret = _read_secret_key(reader, "aws_secret_access_key")
    present = [name for name in PAIR if reader.has(name)]
    if len(present) == 1:
        missing = next(name for name in PAIR if name not in present)
        reader.refuse(
            missing,
            f"is missing, although '{present[0]}' is given",
            "Give both or neither.",
        )
    return (KeyId(key_id.reveal()), secret) if key_id and secret else None


def _read_secret_key(reader: FieldReader, name: str) -> Secret | None:
    text = reader.text(name)
    if text is None:
        return None
    judge_secret_key(text, reader.field(name), reader.findings)
    if reader.findings.has_raw_plus and " " in text:
        reader.findings.notices.append(
            f"'{reader.field(name)}' has a space: if it should be a plus, write %2B."
        )
    return Secret(text)


def judge_secret_key(text: str, field: str, findings: Findings) -> None:
    """Refuse characters that no secret key contains; note those that may be a mistake.

    The key is only used in an HMAC, which accepts any text, and MinIO and Ceph let
    their users choose one. A line break or a control character comes from copying.
    """
    if not text.isprintable() and _has_control_character(text):
        findings.refuse(field, "has a line break or a control character", RETYPE)
    elif text and not (_is_visible(text[0]) and _is_visible(text[-1])):
        findings.notices.append(
            f"'{field}' begins or ends with whitespace, which is part of the key."
        )


def _has_control_character(text: str) -> bool:
    # Imported here: its tables are memory that few keys need.
    from unicodedata import category

    return any(category(each) in NEVER_IN_A_SECRET for each in text)


def _is_visible(character: str) -> bool:
    return character.isprintable() and not character.isspace()


def _has_any_key(
    fields: RecordFields, extra: FieldReader, session: FieldReader
) -> bool:
    """Return whether a key is there, even if only half a pair or a broken one."""
    if fields.login is not None or fields.password is not None:
        return True
    return any(reader.has(name) for reader in (extra, session) for name in PAIR)


def _refuse_orphans(
    extra: FieldReader,
    session: FieldReader,
    *,
    token: Secret | None,
    account_id: str | None,
) -> None:
    if token is not None:
        holder = extra if extra.has("aws_session_token") else session
        holder.refuse(
            "aws_session_token",
            "is given without its keys",
            "Add the access key id and secret key that it belongs to, or remove it.",
        )
    if account_id is not None:
        session.refuse(
            "aws_account_id",
            "is the account id of keys, but the connection has no keys",
            "Add the keys or remove it.",
        )
