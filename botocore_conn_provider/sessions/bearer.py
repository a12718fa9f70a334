"""Keep bearer tokens of the environment from answering in the connection's place.

For some services botocore calls with the token of `AWS_BEARER_TOKEN_<SERVICE>` instead
of the session's keys, if that is set when a request is signed. That would be somebody
else than the connection names. What the code says still decides: a Config that prefers
bearer tokens, a signature version, a provider of tokens of the program's own.

Source: botocore's documentation of `auth_scheme_preference`; AWS's documentation of
Amazon Bedrock API keys. An older botocore has neither, and then nothing happens here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import botocore.utils

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.hooks import BaseEventHooks

    from botocore_conn_provider.sessions.binding import FittedSession

BEARER_OPTION = "smithy.api#httpBearerAuth"
BEARER_SCHEME = "httpBearerAuth"
HANDLER_ID = "botocore-conn-provider-no-bearer-token-of-the-environment"


def ignore_bearer_tokens(fitted: FittedSession) -> None:
    """Have the session's clients sign with its credentials, whatever tokens are set."""
    events = fitted.session.get_component("event_emitter")
    # First, because botocore's own handler, which decides, is registered already.
    events.register_first(
        "choose-signer", BearerGuard(fitted).drop_bearer, unique_id=HANDLER_ID
    )


def release_session(events: BaseEventHooks) -> None:
    """Take the guard from a copy of a session's handlers, which it would keep alive.

    Nothing that an exchange calls takes a bearer token.
    """
    events.unregister("choose-signer", unique_id=HANDLER_ID)


class BearerGuard:
    """Takes bearer tokens from what one request may be authenticated with."""

    def __init__(self, fitted: FittedSession) -> None:
        self._fitted = fitted

    def drop_bearer(
        self, context: dict[str, Any], signing_name: str | None = None, **_: Any
    ) -> None:
        """Leave the other schemes of the service, if it has any."""
        options = context.get("auth_options") or ()
        others = [each for each in options if each != BEARER_OPTION]
        if others and len(others) < len(options) and self._counts(signing_name):
            if is_bearer_said(context.get("client_config")):
                return
            context["auth_options"] = others

    def _counts(self, signing_name: str | None) -> bool:
        """Return whether the connection says who we are, and the program no token."""
        settings = self._fitted.read()
        if settings is None or not settings.names_identity:
            return False
        token = find_environments_token(signing_name)
        return token is not None and not self._has_programs_token(signing_name, token)

    def _has_programs_token(self, signing_name: str | None, token: str) -> bool:
        """Return whether the session's token is another than the environment's."""
        ask: Callable[..., Any] = self._fitted.session.get_auth_token
        found = ask(signing_name=signing_name)
        return found is not None and getattr(found, "token", None) != token


def is_bearer_said(config: Any) -> bool:
    """Return whether a client's Config prefers bearer tokens.

    Only the code can have said so: see `AuthSchemeDefault`.
    """
    preferred = getattr(config, "auth_scheme_preference", None) or ""
    return BEARER_SCHEME in preferred.split(",")


def find_environments_token(signing_name: str | None) -> str | None:
    """Return the token that botocore would find now; None on an older botocore."""
    find = getattr(botocore.utils, "get_token_from_environment", None)
    token: str | None = None if find is None else find(signing_name)
    return token
