"""Read which role is assumed, and by which of the three STS calls.

Source: docs/specification.md, sections 2.4 and 2.5; patterns from
the AWS STS API reference.

What only some roles have is imported where it is read: each import delays a start.
"""

from __future__ import annotations

from string import ascii_letters, ascii_lowercase, digits
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.connection.keys import read_account_id
from botocore_conn_provider.connection.settings import AssumeRole, Role
from botocore_conn_provider.redaction import describe_value
from botocore_conn_provider.secret import Options

if TYPE_CHECKING:
    from botocore_conn_provider.connection.environment import Environ
    from botocore_conn_provider.connection.field_reader import FieldReader

# No regular expressions: each start would compile them.
PARTITION = frozenset(f"{ascii_lowercase}-")
DIGITS, ACCOUNT_ID_DIGITS = frozenset(digits), 12
LONGEST_SESSION_NAME, LONGEST_ROLE_NAME = 64, 576
SESSION_NAME = frozenset(f"{ascii_letters}{digits}_+=,.@-")
ROLE_NAME = SESSION_NAME | {"/"}  # its path comes with it

SAML = "assume_role_with_saml"
WEB_IDENTITY = "assume_role_with_web_identity"
WEB_IDENTITY_FIELDS = (
    f"{WEB_IDENTITY}_federation",
    f"{WEB_IDENTITY}_token_file",
    f"{WEB_IDENTITY}_federation_audience",
)
DEPRECATED = (
    ("aws_account_id", "'role_arn'"),
    ("aws_iam_role", "'role_arn'"),
    ("external_id", "'ExternalId' in 'assume_role_kwargs'"),
)
METHODS = ("assume_role", SAML, WEB_IDENTITY)


def read_role(extra: FieldReader, conn_id: str, environ: Environ) -> Role | None:
    """Read the role and how it is assumed; None if the connection has none."""
    _note_deprecated(extra)
    role_arn = _read_role_arn(extra)
    method = extra.choice("assume_role_method", METHODS) or METHODS[0]
    parameters = _read_parameters(extra)
    external_id = _read_external_id(extra)
    _note_unused(extra, method)
    if not extra.has("role_arn") and not extra.has("aws_iam_role"):
        _refuse_without_role(extra, method)
        return None
    role_arn = role_arn or ""  # it was refused; the rest is read to find its problems
    if method == SAML:
        from botocore_conn_provider.connection.saml_role import read_saml_role

        return read_saml_role(extra, role_arn=role_arn, outer=parameters)
    if method == WEB_IDENTITY:
        from botocore_conn_provider.connection.web_identity_role import (
            read_web_identity_role,
        )

        return read_web_identity_role(
            extra, role_arn=role_arn, parameters=parameters, environ=environ
        )
    if external_id is not None:
        parameters.setdefault("ExternalId", external_id)
    parameters.setdefault("RoleSessionName", default_session_name(conn_id))
    return AssumeRole(role_arn, Options(parameters))


def default_session_name(conn_id: str) -> str:
    """Return the RoleSessionName that Airflow derives from a connection's id."""
    plain = conn_id if conn_id.isascii() else _drop_accents(conn_id)
    text = "".join(c if c in SESSION_NAME else "-" for c in f"airflow_{plain}".lower())
    return "-".join(word for word in text.split("-") if word)[:LONGEST_SESSION_NAME]


def _drop_accents(text: str) -> str:
    # Imported here because ASCII ids, which are nearly all, do not need it.
    import unicodedata

    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _read_role_arn(extra: FieldReader) -> str | None:
    if extra.has("role_arn"):
        role_arn = extra.text("role_arn", fix="Write the role's ARN or remove it.")
        if role_arn is None or is_role_arn(role_arn):
            return role_arn
        extra.refuse(
            "role_arn",
            f"{describe_value(role_arn)}, not the ARN of an IAM role",
            "Write it as arn:aws:iam::123456789012:role/name.",
        )
        return None
    return _join_account_and_role(extra)


def is_role_arn(text: str) -> bool:
    """Return whether it is arn:aws…:iam::<12 digits>:role/<path and name>."""
    before, _, name = text.partition(":role/")
    partition, _, account_id = before.partition(":iam::")
    return (
        partition.startswith("arn:aws")
        and PARTITION.issuperset(partition.removeprefix("arn:aws"))
        and len(account_id) == ACCOUNT_ID_DIGITS
        and DIGITS.issuperset(account_id)
        and is_role_name(name)
    )


def is_role_name(text: str) -> bool:
    """Return whether it is a role's name, with its path or without."""
    return 0 < len(text) <= LONGEST_ROLE_NAME and ROLE_NAME.issuperset(text)


def _note_deprecated(extra: FieldReader) -> None:
    for name, replacement in DEPRECATED:
        if extra.has(name):
            extra.findings.notices.append(
                f"'{name}' is deprecated: write {replacement}."
            )


def _join_account_and_role(extra: FieldReader) -> str | None:
    account_id = read_account_id(extra, "aws_account_id")
    role_name = extra.text("aws_iam_role")
    if role_name is not None and not is_role_name(role_name):
        extra.refuse("aws_iam_role", "is not the name of a role", "Write 'role_arn'.")
    if extra.has("aws_iam_role") and not extra.has("aws_account_id"):
        extra.refuse(
            "aws_account_id",
            "is missing, although 'aws_iam_role' is given",
            "Write 'role_arn'.",
        )
    if account_id is None or role_name is None:
        return None
    return f"arn:aws:iam::{account_id}:role/{role_name}"


def _read_parameters(extra: FieldReader) -> dict[str, Any]:
    if not extra.has("assume_role_kwargs"):
        return {}
    from botocore_conn_provider.connection.sts_parameters import read_parameters

    return read_parameters(extra)


def _read_external_id(extra: FieldReader) -> str | None:
    if not extra.has("external_id"):
        return None
    from botocore_conn_provider.connection.sts_parameters import (
        EXTERNAL_ID,
        judge_pattern,
    )

    judge_pattern(extra, "external_id", EXTERNAL_ID)
    value = extra.peek("external_id")
    return value if isinstance(value, str) else None


def _refuse_without_role(extra: FieldReader, method: str) -> None:
    kwargs = extra.raw("assume_role_kwargs")
    if method != METHODS[0]:
        extra.refuse(
            "role_arn", f"is missing for '{method}'", "Add the ARN of the role."
        )
    elif isinstance(kwargs, dict) and kwargs.get("RoleArn") is not None:
        extra.refuse(
            "assume_role_kwargs.RoleArn",
            "is given here without 'role_arn'",
            "Move it to 'role_arn': here alone it would be ignored.",
        )


def _note_unused(extra: FieldReader, method: str) -> None:
    """Add notices for the fields of the methods that were not chosen."""
    if method != SAML and extra.has(SAML):
        extra.findings.notices.append(
            f"'{SAML}' is not used without 'assume_role_method': '{SAML}'."
        )
    if method != WEB_IDENTITY and any(map(extra.has, WEB_IDENTITY_FIELDS)):
        from botocore_conn_provider.connection.web_identity_role import (
            note_unused_fields,
        )

        note_unused_fields(extra)
