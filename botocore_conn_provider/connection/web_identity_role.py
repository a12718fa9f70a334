"""Read the role for AssumeRoleWithWebIdentity and the source of its token.

Source: docs/specification.md, section 2.7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore_conn_provider.connection.settings import AssumeRoleWithWebIdentity
from botocore_conn_provider.secret import Options

if TYPE_CHECKING:
    from botocore_conn_provider.connection.environment import Environ
    from botocore_conn_provider.connection.field_reader import FieldReader

FEDERATION = "assume_role_with_web_identity_federation"
TOKEN_FILE = "assume_role_with_web_identity_token_file"  # noqa: S105 - a name
AUDIENCE = "assume_role_with_web_identity_federation_audience"
TOKEN_FILE_VARIABLE = "AWS_WEB_IDENTITY_TOKEN_FILE"  # noqa: S105 - a name


def read_web_identity_role(
    extra: FieldReader, *, role_arn: str, parameters: dict[str, Any], environ: Environ
) -> AssumeRoleWithWebIdentity:
    """Read the web-identity role; refuse it if a field is missing."""
    source = extra.text(FEDERATION)
    if source is None and not extra.has(FEDERATION):
        extra.refuse(FEDERATION, "is missing", "Write google or file.")
    token_file = extra.text(TOKEN_FILE, empty_is_absent=True)
    if source == "file":
        token_file = token_file or environ.get(TOKEN_FILE_VARIABLE) or None
        if token_file is None and not extra.findings.has_refused(TOKEN_FILE):
            extra.refuse(
                TOKEN_FILE, "is missing", f"Add it, or set {TOKEN_FILE_VARIABLE}."
            )
    audience = extra.text(AUDIENCE, empty_is_absent=True)
    if source == "google" and extra.peek(AUDIENCE) in (None, ""):
        extra.findings.notices.append(
            f"'{AUDIENCE}' is missing: any Google token of the account would do."
        )
    return AssumeRoleWithWebIdentity(
        role_arn=role_arn,
        token_source=source or "",
        token_file=token_file,
        audience=audience,
        parameters=Options(parameters),
    )


def note_unused_fields(extra: FieldReader) -> None:
    """Add notices for the fields of web identity when another method was chosen."""
    for name in (FEDERATION, TOKEN_FILE, AUDIENCE):
        if extra.has(name):
            extra.findings.notices.append(
                f"'{name}' is not used without 'assume_role_method':"
                " 'assume_role_with_web_identity'."
            )
