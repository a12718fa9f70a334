"""Fetch an identity token from the source that the connection names.

Nothing is cached here: a token is asked for when an exchange needs one, and the
keeper decides when that is. One deadline bounds every source, plug-ins included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from botocore_conn_provider.errors import WebIdentityTokenError
from botocore_conn_provider.federation.deadline import (
    Deadline,
    DeadlineExceededError,
    run_within,
)
from botocore_conn_provider.federation.plugin_guard import (
    BuiltIn,
    PluginKind,
    name_type,
)
from botocore_conn_provider.federation.plugin_lookup import (
    TOKEN_SOURCES,
    create_plugin,
    identify_plugin,
)
from botocore_conn_provider.federation.web_identity.claims import (
    Claims,
    decode_claims,
    find_flaw,
)
from botocore_conn_provider.plugins import TokenRequest
from botocore_conn_provider.secret import Secret
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore_conn_provider.connection.settings import AssumeRoleWithWebIdentity
    from botocore_conn_provider.plugins import TokenSource

FIELD = "assume_role_with_web_identity_federation"
HERE = "botocore_conn_provider.federation.web_identity"
BUILT_IN = {
    "file": BuiltIn(f"{HERE}.token_file:TokenFile", f"{HERE}.token_file:identify"),
    "google": BuiltIn(
        f"{HERE}.google.google_tokens:GoogleTokens", f"{HERE}.google.adc:identify"
    ),
}


def find_type_flaw(token: object) -> str | None:
    """Return what a plug-in gave, if it is no Secret."""
    return None if isinstance(token, Secret) else f"a {name_type(token)}, not a Secret"


KIND = PluginKind(
    noun="token source",
    group=TOKEN_SOURCES,
    built_in=BUILT_IN,
    field=FIELD,
    failure=WebIdentityTokenError,
    find_flaw=find_type_flaw,
)


class IdentityToken(NamedTuple):
    """A token and what it says of itself: None if it is opaque."""

    token: Secret
    claims: Claims | None


class WebIdentityTokenFetcher:
    """Fetches tokens for one connection. Threads may share it.

    It holds no connection, no lock and no token, so a forked child may use it.

    Args:
        role: What the connection says.
        conn_id: The connection, for errors.
        deadline_seconds: Bounds one whole fetch.
        allow_plugins: False knows the built-in sources only.
        environ: The environment when the session was created, with absolute paths.
    """

    def __init__(
        self,
        role: AssumeRoleWithWebIdentity,
        *,
        conn_id: str,
        deadline_seconds: float,
        allow_plugins: bool,
        environ: Mapping[str, str],
    ) -> None:
        self._name = role.token_source
        self._allow_plugins = allow_plugins
        self._request = TokenRequest(
            conn_id=conn_id,
            role_arn=role.role_arn,
            audience=role.audience,
            token_file=role.token_file,
            deadline_seconds=deadline_seconds,
            environ=environ,
        )

    @scrubbed
    def check(self) -> None:
        """Judge all that can be judged with no network.

        Raises:
            InvalidConnectionError: No such source, or a field is missing.
            MissingDependencyError: The source's extra is not installed.
            WebIdentityTokenError: The credentials at hand never give a token.
        """
        self._create_source().check()

    @scrubbed
    def identify(self) -> dict[str, str]:
        """Describe by content whom the next token will be for. Sends nothing.

        A plug-in that does not say what it depends on depends on everything. Holds
        secrets: never show it.

        Raises:
            InvalidConnectionError: No such source.
        """
        return identify_plugin(
            KIND, self._name, self._request, allow_plugins=self._allow_plugins
        )

    @scrubbed
    def fetch_token(self) -> IdentityToken:
        """Ask the source for a new token.

        Blocks for at most `deadline_seconds`.

        Raises:
            WebIdentityTokenError: No usable token could be had.
            InvalidConnectionError, MissingDependencyError: As in `check`.
        """
        source = self._create_source()
        seconds = self._request.deadline_seconds
        try:
            token = run_within(Deadline(seconds), lambda: _check_and_fetch(source))
        except DeadlineExceededError:
            raise self._error(
                f"gave no token within {seconds:g} s.",
                "Check the network, or raise 'sign_in_deadline_seconds'.",
                retryable=True,
            ) from None
        if flaw := find_flaw(token):
            raise self._error(f"gave a token that {flaw}.", "Check the source.")
        return IdentityToken(token, decode_claims(token))

    def _create_source(self) -> TokenSource:
        source: TokenSource = create_plugin(
            KIND, self._name, self._request, allow_plugins=self._allow_plugins
        )
        return source

    def _error(
        self, seen: str, hint: str, *, retryable: bool = False
    ) -> WebIdentityTokenError:
        return WebIdentityTokenError(
            conn_id=self._request.conn_id,
            cause=f"the token source '{self._name}' ({FIELD}) {seen}",
            hint=hint,
            retryable=retryable,
        )


def _check_and_fetch(source: TokenSource) -> Secret:
    source.check()
    return source.fetch()
