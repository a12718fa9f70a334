"""Who asks: what decides an identity besides the connection's own text.

Two sessions, or two processes with the store on, share credentials only if all of
it is the same. Files count with their time of change: a profile whose keys were
exchanged is another identity.

Source: design, section 4; the variables are those of botocore's chain, MIT
Kerberos and google-auth.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from botocore_conn_provider.connection.settings import (
    AssumeRole,
    AssumeRoleWithSaml,
    AwsSettings,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from botocore_conn_provider.connection.environment import Environ

# STS answers for whoever the endpoint says, so it counts for every flow.
ALWAYS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS")
PROFILE = (
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "HOME",
    "USERPROFILE",
)
CHAIN = (
    *PROFILE,
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_CREDENTIAL_FILE",
    "BOTO_CONFIG",
)
KERBEROS = ("KRB5CCNAME", "KRB5_CLIENT_KTNAME", "KRB5_CONFIG", "GSS_USE_PROXY")
GOOGLE = (
    "GOOGLE_APPLICATION_CREDENTIALS",
    "CLOUDSDK_CONFIG",
    "HOME",
    "GCE_METADATA_HOST",
    "GCE_METADATA_ROOT",
    "GCE_METADATA_IP",
    "NO_GCE_CHECK",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
)
DEFAULT_FILES = (".aws/config", ".aws/credentials")


def describe_asker(settings: AwsSettings, environ: Environ) -> dict[str, str]:
    """Return what else decides the identity, by name. Holds secrets: never show it."""
    asker = {name: environ[name] for name in _list_names(settings) if name in environ}
    asker.update(_describe_files(asker))
    if isinstance(settings.role, AssumeRoleWithSaml):
        # Late: the principal is of interest to SAML connections only.
        from botocore_conn_provider.proofs.saml.principal import find_principal

        asker["principal"] = find_principal(environ)
    return asker


def _list_names(settings: AwsSettings) -> tuple[str, ...]:
    role = settings.role
    if isinstance(role, AssumeRoleWithSaml):
        return (*ALWAYS, *KERBEROS)
    if not isinstance(role, AssumeRole):
        return (*ALWAYS, *GOOGLE)
    if settings.keys is not None:
        return ALWAYS
    return (*ALWAYS, *(PROFILE if settings.profile_name is not None else CHAIN))


def _describe_files(asker: dict[str, str]) -> dict[str, str]:
    return {
        f"file {path}": f"{found.st_mtime_ns} {found.st_size}"
        for path in _list_files(asker)
        if (found := _stat(path)) is not None
    }


def _list_files(asker: dict[str, str]) -> Iterator[Path]:
    for name, value in asker.items():
        if name.endswith(("_FILE", "_KTNAME", "_CREDENTIALS")) and value:
            yield Path(value)
    if "HOME" in asker:
        yield from (Path(asker["HOME"], name) for name in DEFAULT_FILES)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.expanduser().stat()
    except (OSError, RuntimeError, ValueError):
        return None
