"""One way to an ID token for each kind of credentials file that has one.

Each function builds google-auth's credentials offline, which judges the file, and
returns the function that asks. Kinds for which Google has no ID token are refused
with the way out, before anything is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from botocore_conn_provider.federation.web_identity.google import impersonation
from botocore_conn_provider.federation.web_identity.google import (
    source_credentials as sources,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore_conn_provider.federation.web_identity.google.adc import (
        CredentialsFile,
    )


class Ask(Protocol):
    """Asks Google for an ID token with one of google-auth's `Request`s."""

    def __call__(self, request: Any, /) -> str: ...


class Wish(NamedTuple):
    """What the token is for. Without an audience Google's default for AWS is asked.

    `is_explicit` says whether the connection names the audience.
    """

    audience: str
    is_explicit: bool
    environ: Mapping[str, str]


def build_service_account(file: CredentialsFile, wish: Wish) -> Ask:
    """Ask with a key file, whose assertion names the audience. One request."""
    from google.oauth2 import service_account  # extra [google]

    file.require("client_email", "private_key", "token_uri")
    credentials: Any = file.build(
        service_account.IDTokenCredentials.from_service_account_info,
        file.info,
        target_audience=wish.audience,
    )
    sources.require_rsa_key(file, credentials)

    def ask(request: Any) -> str:
        credentials.refresh(request)
        return str(credentials.token)

    return ask


def build_impersonated(file: CredentialsFile, wish: Wish) -> Ask:
    """Ask as a source that acts for a service account. Two requests."""
    url = impersonation.find_id_token_url(file)
    file.require("type", within="source_credentials")
    delegates = file.info.get("delegates") or []
    source = sources.build_source(
        file, file.info["source_credentials"], environ=wish.environ
    )
    return _impersonate(source, url, wish=wish, delegates=delegates)


def build_external(file: CredentialsFile, wish: Wish) -> Ask:
    """Ask as a federated workload that impersonates. Two requests."""
    if not file.info.get(impersonation.FIELD):
        raise file.refuse(
            "is of the kind external_account without impersonation, for which Google"
            " gives no ID token",
            "Create it again with --service-account, for a service account that AWS"
            " can trust.",
        )
    url = impersonation.find_id_token_url(file)
    source = sources.build_source(file, file.info, environ=wish.environ)
    return _impersonate(source, url, wish=wish, delegates=[])


def _impersonate(source: Any, url: str, *, wish: Wish, delegates: list[str]) -> Ask:
    def ask(request: Any) -> str:
        source.refresh(request)
        return impersonation.request_id_token(
            request,
            url,
            access_token=source.token,
            audience=wish.audience,
            delegates=delegates,
        )

    return ask


def build_user(file: CredentialsFile, wish: Wish) -> Ask:
    """Ask as a user, whose tokens are for the OAuth client only. One request."""
    credentials = sources.build_source(file, file.info, environ=wish.environ)
    client_id = file.info["client_id"]
    if wish.is_explicit and wish.audience != client_id:
        raise file.refuse(
            "is a user's sign-in (authorized_user): Google gives such users ID tokens"
            f" for the audience '{client_id}' only, not for '{wish.audience}'",
            "Sign in with gcloud auth application-default login"
            " --impersonate-service-account=<e-mail>.",
        )

    def ask(request: Any) -> str:
        credentials.refresh(request)
        if not credentials.id_token:
            raise file.refuse(
                "gives no ID token: the sign-in lacks the scope openid",
                "Sign in again with the scopes openid and"
                " https://www.googleapis.com/auth/cloud-platform.",
            )
        return str(credentials.id_token)

    return ask


def build_nothing(file: CredentialsFile, wish: Wish) -> Ask:
    """Refuse a kind that never gives an ID token, or that is unknown."""
    del wish
    raise file.refuse(
        f"is of the kind '{file.kind[:40]}', for which Google gives no ID token",
        "Use a service account: its key file, impersonation of it, or the metadata"
        " server.",
    )


KINDS = {
    "authorized_user": build_user,
    "external_account": build_external,
    "impersonated_service_account": build_impersonated,
    "service_account": build_service_account,
}


def build_ask(file: CredentialsFile, wish: Wish) -> Ask:
    """Return what asks for the ID token of this file.

    Raises:
        WebIdentityTokenError: The file can never give one.
    """
    return KINDS.get(file.kind, build_nothing)(file, wish)
