"""Read the whole extra into `AwsSettings`: every field, current and deprecated.

All problems are collected, none is raised: see `field_reader`.

Source: docs/specification.md, section 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore_conn_provider.connection.client_settings import (
    is_unsigned,
    read_client_settings,
)
from botocore_conn_provider.connection.field_reader import FieldReader, Findings
from botocore_conn_provider.connection.keys import (
    read_keys,
    read_profile_name,
    refuse_dropped_fields,
)
from botocore_conn_provider.connection.own_settings import read_own_settings
from botocore_conn_provider.connection.role import read_role
from botocore_conn_provider.connection.settings import AwsSettings
from botocore_conn_provider.redaction import show_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore_conn_provider.connection.environment import Environ
    from botocore_conn_provider.connection.fields import RecordFields

# In front of the names in Airflow's old connection form: extra__aws__role_arn means
# role_arn. Source: apache/airflow#27023: needed by its form before Airflow 2.3.
PREFIX = "extra__aws__"
# Fields that decide the identity: a misspelt one is refused, never ignored.
IDENTITY_FIELDS = (
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "session_kwargs",
    "profile_name",
    "profile",
    "role_arn",
    "aws_account_id",
    "aws_iam_role",
    "external_id",
    "assume_role_method",
    "assume_role_kwargs",
    "assume_role_with_saml",
    "assume_role_with_web_identity_federation",
    "assume_role_with_web_identity_token_file",
    "assume_role_with_web_identity_federation_audience",
)
OTHER_FIELDS = (
    "region_name",
    "config_kwargs",
    "endpoint_url",
    "host",
    "service_config",
    "verify",
    "botocore_conn_provider",
)
KNOWN_FIELDS = (*IDENTITY_FIELDS, *OTHER_FIELDS)
# Connections of other types have these two fields as well.
FIELDS_OF_AWS = tuple(name for name in KNOWN_FIELDS if name not in ("host", "verify"))

# What other tools call these fields.
ALIASES = {
    "accesskey": "aws_access_key_id",
    "accesskeyid": "aws_access_key_id",
    "awsaccesskey": "aws_access_key_id",
    "key": "aws_access_key_id",
    "secret": "aws_secret_access_key",
    "secretkey": "aws_secret_access_key",
    "secretaccesskey": "aws_secret_access_key",
    "awssecretkey": "aws_secret_access_key",
    "sessiontoken": "aws_session_token",
    "securitytoken": "aws_session_token",
    "token": "aws_session_token",
    "awsprofile": "profile_name",
    "iamrole": "role_arn",
    "role": "role_arn",
    "arn": "role_arn",
    "samlidpurl": "assume_role_with_saml",
    "webidentitytokenfile": "assume_role_with_web_identity_token_file",
}
NEAR_ENOUGH = 0.8
CUT_HINT = " (In a URI, write %26 for an & in a value.)"


def read_settings(
    fields: RecordFields, findings: Findings, *, conn_id: str, environ: Environ
) -> AwsSettings:
    """Read what the record means; problems and notices are added to `findings`."""
    values = read_form_names(fields.extra, findings)
    extra = FieldReader(values, path="", findings=findings)
    session = _read_session_kwargs(extra)
    keys = read_keys(fields, extra, session)
    profile_name = read_profile_name(extra, session)
    refuse_dropped_fields(extra)
    role = read_role(extra, conn_id, environ)
    client = read_client_settings(extra, session)
    own = read_own_settings(extra, environ)
    session.refuse_left_over()
    _judge_left_over(extra, strict=own.strict)
    if role is not None and is_unsigned(client.config):
        findings.refuse(
            "config_kwargs.signature_version",
            "turns signing off, but the role is only for signed calls",
            "Remove one of the two.",
        )
    _judge_conn_type(fields, extra, findings)
    settings = AwsSettings(
        conn_id=conn_id,
        keys=keys,
        profile_name=profile_name,
        role=role,
        client=client,
        own=own,
    )
    if settings.starts_from_chain and not findings.problems:
        # Imported here: most connections name an identity.
        from botocore_conn_provider.connection.place import doubt_key_id

        # A broken text must not silently mean the identity of botocore's chain.
        doubt_key_id(fields, findings)
        findings.problems += findings.doubts[:1]
        findings.notices += findings.doubtful_notices
    return settings._replace(notices=tuple(findings.notices))


def _read_session_kwargs(extra: FieldReader) -> FieldReader:
    session = extra.object("session_kwargs")
    if session is None:
        return FieldReader({}, path="session_kwargs", findings=extra.findings)
    extra.findings.notices.append(
        "'session_kwargs' is deprecated: write its fields in the extra itself."
    )
    return session


def _judge_left_over(extra: FieldReader, *, strict: bool) -> None:
    for name, near in extra.left_over(known=KNOWN_FIELDS):
        # Imported here: most connections have no unknown name.
        from botocore_conn_provider.connection.spelling import find_near, normalise

        meant = ALIASES.get(normalise(name)) or find_near(
            name, IDENTITY_FIELDS, cutoff=NEAR_ENOUGH
        )
        shown = show_name(
            name, near=meant or near, may_be_cut=extra.findings.names_may_be_cut
        )
        if meant:
            extra.refuse(
                shown, "is not a field of the connection", f"Did you mean '{meant}'?"
            )
        elif strict:
            fix = f"Did you mean '{near}'?" if near else "Remove it (strict is on)."
            extra.refuse(shown, "is not a field of the connection", fix)
        else:
            hint = f" Did you mean '{near}'?" if near else ""
            if shown.startswith("("):
                hint += CUT_HINT
            extra.findings.notices.append(f"'{shown}' is not used.{hint}")


def _judge_conn_type(
    fields: RecordFields, extra: FieldReader, findings: Findings
) -> None:
    """Read another type as AWS with a notice, if any field of it is about AWS."""
    if fields.conn_type == "aws":
        return
    findings.notices.append(
        "the connection's type is not 'aws'; it is read as an AWS connection."
    )
    has_login = fields.login is not None or fields.password is not None
    if not has_login and not any(map(extra.has, FIELDS_OF_AWS)):
        findings.refuse(
            "conn_type",
            "is not 'aws', and the connection has no field about AWS",
            "Check that it is the AWS connection: aws://…",
        )


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
