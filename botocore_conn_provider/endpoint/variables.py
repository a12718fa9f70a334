"""The environment that has an engine ask the endpoint, and nothing before it. Pure.

Each engine looks in another order: some take keys or a profile before an endpoint,
some forget it when one variable is missing, and all end at the machine's own role. What
is taken out and set here has every one of them ask the endpoint or fail.

Source: measured with each engine, docs/engines.md has the table; older names in the
source of AWS's SDKs (Go v2 env_config.go, Java v1 SDKGlobalConfiguration, Ruby v3
credential_provider_chain.rb).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from botocore_conn_provider.connection.environment import CHANGES_VARIABLE
from botocore_conn_provider.connection.process_changes import note_changes
from botocore_conn_provider.endpoint.request_rules import LOOPBACK
from botocore_conn_provider.secret import Options
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore_conn_provider.endpoint.endpoint import Endpoint
    from botocore_conn_provider.endpoint.supply import Keys

# How an engine is told of an endpoint.
FULL_URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
RELATIVE_URI = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"  # noqa: S105 - its name
TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # noqa: S105 - its name
# What names an identity, or beats one. Some engines know but one spelling.
IDENTITIES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    # Go, Java and Ruby take these older names where the newer are missing.
    "AWS_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AMAZON_ACCESS_KEY_ID",
    "AMAZON_SECRET_ACCESS_KEY",
    "AMAZON_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_IAM_ROLE_ARN",
    "AWS_IAM_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    RELATIVE_URI,
    FULL_URI,
    TOKEN,
    TOKEN_FILE,
    "AWS_CREDENTIAL_FILE",
    "BOTO_CONFIG",
    # With these a service is sent a bearer token, or no signature at all.
    "AWS_AUTH_SCHEME_PREFERENCE",
    "AWS_SKIP_SIGNATURE",
    # lance and deltalake take these, too. `TOKEN` and the like are left: nobody is
    # somebody by them alone, and other programs mean something else.
    "ACCESS_KEY_ID",
    "SECRET_ACCESS_KEY",
    "SKIP_SIGNATURE",
)
BEARER_TOKENS = "AWS_BEARER_TOKEN_"
# Java's first SDK knows the file of credentials by another name.
AWS_FILES = (
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CREDENTIAL_PROFILES_FILE",
)
REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
CLOSED_PORT = 1  # only the system's own programs can open it
# Libraries read the one or the other, and a lower-case one hides the other.
NO_PROXY, NOT_BY_PROXY = ("NO_PROXY", "no_proxy"), (LOOPBACK, "localhost")
EVERY_HOST = "*"
# Where an engine finds the proxy that it would ask for the endpoint.
PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


class HandedOn(Value):
    """What an engine is given: variables that name an identity, and the region.

    `profile_region` is that of AWS's files, for where the connection names none: an
    engine no longer reads them.
    """

    identity: Options
    region_name: str | None = None
    profile_region: str | None = None

    def __repr__(self) -> str:
        return "HandedOn(…)"


def give_endpoint(endpoint: Endpoint) -> Options:
    """Return the variables that lead to an endpoint.

    Both token and file: some engines go to the machine's role where the file is not
    named, others know the variable only.
    """
    return Options(
        {
            FULL_URI: endpoint.url,
            TOKEN_FILE: endpoint.token_path,
            TOKEN: endpoint.token.reveal(),
        }
    )


def give_nothing() -> Options:
    """Return variables that lead to a port where nobody is: an error, in any engine."""
    return Options(
        {
            FULL_URI: f"http://{LOOPBACK}:{CLOSED_PORT}/",
            TOKEN_FILE: os.devnull,
            TOKEN: "none",
        }
    )


def give_keys(keys: Keys) -> Options:
    """Return the variables that hold keys.

    For keys that have no session token: most engines cannot take these from an
    endpoint, and send an empty one to AWS, which refuses it.
    """
    given = {
        "AWS_ACCESS_KEY_ID": str(keys.access_key_id),
        "AWS_SECRET_ACCESS_KEY": keys.secret_access_key.reveal(),
    }
    if keys.session_token:
        given["AWS_SESSION_TOKEN"] = keys.session_token.reveal()
    return Options(given)


def change_environment(
    environ: Mapping[str, str],
    given: HandedOn,
    *,
    keeps_files: bool = False,
    notes_changes: bool = True,
) -> dict[str, str]:
    """Return the environment for an engine. It holds secrets: never show it.

    Args:
        environ: Of a snapshot, which has no changes of ours.
        given: What the engine is to use.
        keeps_files: Whether AWS's two files stay, where a default profile may come
            first.
        notes_changes: Whether our own connections, in that environment, go on starting
            from what was there before.
    """
    changed = {
        name: value for name, value in environ.items() if not _names_identity(name)
    }
    changed |= given.identity
    changed["AWS_EC2_METADATA_DISABLED"] = "true"
    if not keeps_files:
        # Not a path that somebody else could make a file at.
        changed |= dict.fromkeys(AWS_FILES, os.devnull)
        changed |= _find_regions(environ, given.profile_region)
    if given.region_name is not None:
        changed |= dict.fromkeys(REGIONS, given.region_name)
    changed |= dict.fromkeys(NO_PROXY, _join_not_by_proxy(environ))
    if changed[NO_PROXY[0]] == EVERY_HOST:
        # Engines take that for names only, and would send the token to the proxy.
        changed = {name: changed[name] for name in changed if name not in PROXIES}
    if notes_changes:
        changed[CHANGES_VARIABLE] = note_changes(environ, changed)
    return changed


def _names_identity(name: str) -> bool:
    """Return whether an engine takes the variable; some do so in any spelling."""
    upper = name.upper()
    return upper in IDENTITIES or upper.startswith(BEARER_TOKENS)


def _find_regions(environ: Mapping[str, str], of_profile: str | None) -> dict[str, str]:
    """Return both variables as their readers found the region until now.

    botocore reads the one only, then the profile; others read both, then the profile.
    """
    general, botocores = (environ.get(name) for name in REGIONS)
    found = (general or botocores or of_profile, botocores or of_profile or general)
    return {name: region for name, region in zip(REGIONS, found, strict=True) if region}


def _join_not_by_proxy(environ: Mapping[str, str]) -> str:
    """Return both variables' hosts in one, with the endpoint's."""
    named = [
        host.strip()
        for variable in NO_PROXY
        for host in environ.get(variable, "").split(",")
    ]
    if EVERY_HOST in named:
        return EVERY_HOST  # which most clients know only where it stands alone
    return ",".join(dict.fromkeys([*filter(None, named), *NOT_BY_PROXY]))
