"""Who asks: what decides an identity besides the connection's own text.

Two sessions, or two processes with the store on, share credentials only if all of
it is the same. Files count with their time of change: a profile whose keys were
exchanged is another identity.

A fingerprint is itself treated as a secret. A hash hides no password that can be
guessed: an attacker who sees it may try words until the hash fits, since the rest of a
connection is no secret. A slow hash would cost every process start what it costs
the guesser. So it stays in memory: never log or print it. Outside, the store names
its files with an HMAC of it under a random key of the store's own, and without the
key there is nothing to try words against.

Source: docs/specification.md, section 5; the variables are those of botocore's chain, MIT
Kerberos and google-auth.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.connection.settings import (
    AssumeRole,
    AssumeRoleWithSaml,
    AwsSettings,
)
from botocore_conn_provider.secret import Secret

if TYPE_CHECKING:
    import os

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
        from botocore_conn_provider.federation.saml.kerberos import find_principal

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


# Names what is hashed and how. To be changed with the encoding.
DOMAIN = b"botocore-conn-provider identity 1\n"


def fingerprint(settings: AwsSettings, who_asks: Mapping[str, str]) -> str:
    """Return the same text for the same identity, in every process.

    Args:
        settings: The connection. Its notices are for people and do not count.
        who_asks: What else decides the identity: the base key id, profile and file,
            container address, Kerberos principal and cache, Google's source.
    """
    digest = hashlib.sha256(DOMAIN)
    for part in _encode((settings._replace(notices=()), who_asks)):
        digest.update(part)
    return digest.hexdigest()


def _encode(value: Any) -> Iterator[bytes]:
    """Yield `value` in a form that no two different values share.

    Each text stands behind its kind and length, so that parts cannot run together.
    """
    if isinstance(value, Secret):
        yield from _encode_text("secret", value.reveal())
    elif isinstance(value, Mapping):
        yield f"mapping {len(value)}\n".encode()
        for name in sorted(value, key=str):
            yield from _encode(name)
            yield from _encode(value[name])
    elif isinstance(value, tuple | list):
        # The class counts: two kinds of role may have the same fields.
        name = type(value).__name__ if isinstance(value, tuple) else "list"
        yield f"{name} {len(value)}\n".encode()
        for one in value:
            yield from _encode(one)
    else:
        # A value of a kind that shows its address is its own in each process: it
        # shares with nobody, which is safe.
        text = value if isinstance(value, str) else repr(value)
        yield from _encode_text(type(value).__name__, text)


def _encode_text(kind: str, text: str) -> Iterator[bytes]:
    content = text.encode("utf-8", "surrogatepass")
    yield f"{kind} {len(content)}\n".encode()
    yield content
