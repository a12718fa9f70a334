"""What will be tried, in which order, and what of the surroundings is ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.connection.settings import (
    AssumeRole,
    AssumeRoleWithSaml,
    AssumeRoleWithWebIdentity,
)
from botocore_conn_provider.connection.web_identity_role import TOKEN_FILE_VARIABLE
from botocore_conn_provider.redaction import show_key_id, show_origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.connection.environment import Environ
    from botocore_conn_provider.connection.record import Connection
    from botocore_conn_provider.connection.settings import AwsSettings, Role

AMBIENT_IDENTITY = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
# For some services botocore would call with these instead of a session's keys.
BEARER_TOKENS = "AWS_BEARER_TOKEN_"
SCHEME_PREFERENCE = "AWS_AUTH_SCHEME_PREFERENCE"
BEARER_SCHEME, SIGNED = "httpBearerAuth", "sigv4"


def list_steps(settings: AwsSettings) -> list[str]:
    """Return one sentence for each step. A step that fails ends the whole."""
    return [*_prove(settings), *_exchange(settings.role)]


def _prove(settings: AwsSettings) -> Iterator[str]:
    role = settings.role
    if isinstance(role, AssumeRoleWithSaml):
        sign_in = role.sign_in
        yield (
            f"Sign in at {show_origin(sign_in.idp_url)} ({sign_in.method}), within"
            f" {settings.own.sign_in_deadline_seconds:g} s."
        )
        where = "by the XPath" if sign_in.saml_response_xpath else "in its input"
        yield f"Find the SAML response {where} of the page."
    elif isinstance(role, AssumeRoleWithWebIdentity):
        audience = f" for the audience {role.audience}" if role.audience else ""
        place = f" {role.token_file}" if role.token_file else ""
        yield f"Get an identity token from {role.token_source}{place}{audience}."
    else:
        yield _start(settings)


def _start(settings: AwsSettings) -> str:
    if settings.keys is not None:
        shown = show_key_id(settings.keys.access_key_id)
        return f"Take the keys of the connection ({shown})."
    if settings.profile_name is not None:
        return f"Take the credentials of the profile '{settings.profile_name}'."
    return "Take what botocore's own chain finds: the connection names no identity."


def _exchange(role: Role | None) -> Iterator[str]:
    if isinstance(role, AssumeRole):
        given = ", ".join(sorted(role.parameters))
        yield f"Call AssumeRole of {role.role_arn} with {given}."
    elif isinstance(role, AssumeRoleWithSaml):
        provider = role.principal_arn or "the provider that the assertion names"
        yield f"Call AssumeRoleWithSAML of {role.role_arn} through {provider}, unsigned."
    elif role is not None:
        yield f"Call AssumeRoleWithWebIdentity of {role.role_arn}, unsigned."


def list_ignored(connection: Connection, environ: Environ) -> list[str]:
    """Return what is there and does not count, with the reason."""
    settings, client = connection.settings, connection.settings.client
    ignored = [*_list_identity(settings, environ), *_list_bearer(settings, environ)]
    for variable, beaten in (
        ("AWS_DEFAULT_REGION", client.region_name is not None),
        ("AWS_CA_BUNDLE", client.verify is not None),
        ("AWS_ENDPOINT_URL", client.endpoint_url is not None),
    ):
        if beaten and environ.get(variable):
            ignored.append(f"{variable}: the connection says otherwise")
    ignored += [
        f"'{name}' of the record: not used for AWS"
        for name in ("host", "port", "schema")
        if getattr(connection, name) is not None
    ]
    return ignored


def _list_bearer(settings: AwsSettings, environ: Environ) -> Iterator[str]:
    if not settings.names_identity:
        return  # botocore's own chain reads them too
    if BEARER_SCHEME in settings.client.config.get("auth_scheme_preference", ""):
        return  # the connection itself wants the token
    for variable in sorted(environ):
        if variable.startswith(BEARER_TOKENS) and environ[variable]:
            yield f"{variable}: the connection says who we are"
    preferred = environ.get(SCHEME_PREFERENCE, "").split(",")
    schemes = [each.strip() for each in preferred if each.strip()]
    if not all(each.startswith(SIGNED) for each in schemes):
        yield f"{SCHEME_PREFERENCE}: the connection says who we are; {SIGNED} counts"


def _list_identity(settings: AwsSettings, environ: Environ) -> Iterator[str]:
    role = settings.role
    by_role = role is not None and not isinstance(role, AssumeRole)
    if not by_role and settings.keys is None and settings.profile_name is None:
        return  # botocore's own chain reads them all
    for variable in AMBIENT_IDENTITY:
        if environ.get(variable):
            yield f"{variable}: the connection says who we are"
    token_file = getattr(role, "token_file", None)
    if environ.get(TOKEN_FILE_VARIABLE) and environ[TOKEN_FILE_VARIABLE] != token_file:
        yield f"{TOKEN_FILE_VARIABLE}: the connection says who we are"
    if by_role and (settings.keys is not None or settings.profile_name is not None):
        yield "keys and profile of the connection: this exchange needs none"
