"""Build the credentials that an ID token is asked with: google-auth's, by kind.

google-auth's classes are made directly, because its loaders guess: they look up
projects, warn about files, and fall through.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.connection.environment import current_environment
from botocore_conn_provider.federation.web_identity.google.adc import locate_token
from botocore_conn_provider.redaction import shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore_conn_provider.federation.web_identity.google.adc import (
        CredentialsFile,
    )

# google-auth: google.oauth2.credentials. A file of another tool may name its own.
TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
ALLOW_COMMANDS = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"
# google-auth's environment_vars: what an AWS identity is read from.
AWS_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
)
AWS_TOKEN = "urn:ietf:params:aws:token-type:aws4_request"  # noqa: S105 - a type


def build_source(
    file: CredentialsFile, info: Mapping[str, Any], *, environ: Mapping[str, str]
) -> Any:
    """Return google-auth's credentials for `info`, the file or a part of it.

    Raises:
        WebIdentityTokenError: The kind is not one to start from, or lacks a part.
    """
    within = None if info is file.info else "source_credentials"
    kind = info.get("type")
    if kind == "authorized_user":
        file.require("client_id", "client_secret", "refresh_token", within=within)
        return _build_user(file, info)
    if kind == "service_account":
        file.require("client_email", "private_key", "token_uri", within=within)
        return _build_key(file, info)
    if kind == "external_account":
        file.require("audience", "subject_token_type", "token_url", within=within)
        return _build_external(file, info, environ)
    if kind == "external_account_authorized_user":
        return _build_workforce_user(file, info)
    raise file.refuse(
        f"impersonates from the kind '{str(kind)[:40]}', which is none to start from",
        "Start from a user, a key file or an external account.",
    )


def _build_user(file: CredentialsFile, info: Mapping[str, Any]) -> Any:
    from google.oauth2.credentials import Credentials  # extra [google]

    return file.build(
        Credentials,
        token=None,
        refresh_token=info["refresh_token"],
        token_uri=info.get("token_uri") or TOKEN_URI,
        client_id=info["client_id"],
        client_secret=info["client_secret"],
        rapt_token=info.get("rapt_token"),
    )


def _build_key(file: CredentialsFile, info: Mapping[str, Any]) -> Any:
    from google.oauth2 import service_account  # extra [google]

    credentials: Any = file.build(
        service_account.Credentials.from_service_account_info, info, scopes=SCOPES
    )
    require_rsa_key(file, credentials)
    return credentials


def require_rsa_key(file: CredentialsFile, credentials: Any) -> None:
    """Sign something, because a key that is not RSA shows only then."""
    file.build(credentials.sign_bytes, b"")


def _build_workforce_user(file: CredentialsFile, info: Mapping[str, Any]) -> Any:
    from google.auth import external_account_authorized_user  # extra [google]

    return file.build(
        external_account_authorized_user.Credentials.from_info, info, scopes=SCOPES
    )


def _build_external(
    file: CredentialsFile, info: Mapping[str, Any], environ: Mapping[str, str]
) -> Any:
    """Return the federated identity itself: what it impersonates is left out."""
    described = info.get("credential_source")
    place = described if isinstance(described, dict) else {}
    if "executable" in place and environ.get(ALLOW_COMMANDS) != "1":
        raise file.refuse(
            "has its token from a command, which Google's libraries run only when"
            f" {ALLOW_COMMANDS} is 1",
            "Set it if you trust the file.",
        )
    own = {k: v for k, v in info.items() if not k.startswith("service_account_imp")}
    if isinstance(place.get("file"), str):
        path = locate_token(place["file"], environ)
        if not os.path.isfile(path):  # noqa: PTH113 - any text
            raise file.refuse(
                f"has its token from '{shorten(path, 200)}', which is not there",
                "Check 'credential_source.file' and what writes it.",
            )
        own["credential_source"] = {**place, "file": path}
    maker: Any = _find_external_kind(info, place)
    if info.get("subject_token_type") == AWS_TOKEN:
        _require_unchanged(file, environ)
    built = file.build(maker.from_info, own, scopes=SCOPES)
    if "executable" in place:
        _hand_over(built, environ)
    return built


def _require_unchanged(file: CredentialsFile, environ: Mapping[str, str]) -> None:
    """Refuse AWS keys other than the session's: google-auth reads the process's."""
    live = current_environment()
    for name in AWS_VARIABLES:
        if live.get(name) != environ.get(name):
            raise file.refuse(
                f"is an AWS identity, and the environment variable {name} has changed"
                " since this session was created",
                "Set it before the session is created, or create another session.",
            )


def _hand_over(credentials: Any, environ: Mapping[str, str]) -> None:
    """Have google-auth start its command with the session's variables.

    It starts it with those of the process, to which this method of its own adds some.
    """
    add = credentials._inject_env_variables  # noqa: SLF001 - there is no public way

    def replace(variables: dict[str, str]) -> None:
        variables.clear()
        variables.update(environ)
        add(variables)

    credentials._inject_env_variables = replace  # noqa: SLF001 - as above


def _find_external_kind(info: Mapping[str, Any], place: Mapping[str, Any]) -> Any:
    from google.auth import aws, identity_pool, pluggable  # extra [google]

    if info.get("subject_token_type") == AWS_TOKEN:
        return aws.Credentials
    return pluggable.Credentials if "executable" in place else identity_pool.Credentials
