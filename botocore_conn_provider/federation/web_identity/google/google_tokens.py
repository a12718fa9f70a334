"""The token source `google`: an ID token from whatever ADC finds first.

google-auth and requests are an extra and cost 100 ms to import, so everything that
needs them is imported when a token is asked for.
"""

from __future__ import annotations

import functools
import logging
import subprocess
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.errors import MissingDependencyError, WebIdentityTokenError
from botocore_conn_provider.federation.deadline import (
    Deadline,
    DeadlineExceededError,
    run_within,
)
from botocore_conn_provider.federation.web_identity.claims import decode_claims
from botocore_conn_provider.federation.web_identity.google import metadata
from botocore_conn_provider.federation.web_identity.google.adc import (
    CredentialsFile,
    read_credentials,
)
from botocore_conn_provider.federation.web_identity.google.kinds import (
    Ask,
    Wish,
    build_ask,
)
from botocore_conn_provider.quiet import quiet_exchange
from botocore_conn_provider.redaction import shorten, show_words
from botocore_conn_provider.secret import Secret

if TYPE_CHECKING:
    from botocore_conn_provider.plugins import TokenRequest

logger = logging.getLogger(__name__)

FIELD = "assume_role_with_web_identity_federation_audience"
# A token must name some audience: the metadata server would take None for the text
# "None". This one is of use nowhere but at AWS.
DEFAULT_AUDIENCE = "sts.amazonaws.com"
METADATA_SERVER = "the metadata server"
# How google-auth's own words begin, as a tuple of them is shown.
NO_TOKEN = "('No ID token"  # noqa: S105 - words
TALKATIVE = (
    "google.auth._default",
    "google.auth.transport.requests",
    "google.auth.transport._mtls_helper",
    "google.auth.compute_engine._metadata",
    "google.auth.compute_engine.credentials",
    "google.auth.external_account",
    "google.oauth2._client",
    "google.oauth2.reauth",
    "google.oauth2.sts",
)


class GoogleTokens:
    """ID tokens of the first Application Default Credentials that exist."""

    def __init__(self, request: TokenRequest) -> None:
        self._conn_id = request.conn_id
        self._environ = request.environ
        self._wish = Wish(
            audience=request.audience or DEFAULT_AUDIENCE,
            is_explicit=bool(request.audience),
            environ=request.environ,
        )

    def check(self) -> None:
        """Find the credentials and judge whether they ever give an ID token.

        Raises:
            MissingDependencyError: google-auth or requests is not installed.
            WebIdentityTokenError: They never do, or there are none.
        """
        _require_google_auth(self._conn_id)
        if not self._wish.is_explicit:
            _warn_without_audience(self._conn_id)
        self._find_credentials()

    def fetch(self) -> Secret:
        """Ask Google for one token: one request, or two with an impersonation.

        Raises:
            WebIdentityTokenError: As in `check`, or Google refused, could not be
                reached or answered nonsense.
        """
        with quiet_exchange(*TALKATIVE):
            found = self._find_credentials()
            if found is None:
                text = self._ask_machine()
            else:
                text = self._ask(found[1], found[0].place)
        token = Secret(text)
        self._require_audience(token)
        return token

    def _find_credentials(self) -> tuple[CredentialsFile, Ask] | None:
        file = read_credentials(self._environ, conn_id=self._conn_id)
        if file is None:
            metadata.require_allowed(self._environ, conn_id=self._conn_id)
            return None
        return file, build_ask(file, self._wish)

    def _ask_machine(self) -> str:
        def ask(request: Any) -> str:
            return metadata.ask_metadata(request, self._wish.audience, self._environ)

        place = METADATA_SERVER
        if metadata.is_on_google(self._environ):
            metadata.require_reachable(self._environ, conn_id=self._conn_id)
            return self._ask(ask, place)
        try:
            deadline = Deadline(metadata.DETECTION_SECONDS)
            return run_within(deadline, lambda: self._ask(ask, place))
        except DeadlineExceededError:
            seen = f"no answer within {metadata.DETECTION_SECONDS:g} s"
        except WebIdentityTokenError as error:
            if not error.retryable:
                raise
            seen = shorten(str(error.cause).rstrip("."), 200)
        raise metadata.build_absence(self._environ, conn_id=self._conn_id, seen=seen)

    def _ask(self, ask: Ask, place: str) -> str:
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import Request

        from botocore_conn_provider.federation.web_identity.bounded_http import (
            BoundedSession,
        )
        from botocore_conn_provider.federation.web_identity.google.api_errors import (
            FIELDS,
            METADATA_FIELDS,
            advise,
        )

        hosts = metadata.list_hosts(self._environ)
        session = BoundedSession(
            conn_id=self._conn_id,
            advise=advise,
            fields=METADATA_FIELDS if place == METADATA_SERVER else FIELDS,
            direct_hosts=hosts,
        )
        try:
            with session:
                return ask(Request(session))
        except WebIdentityTokenError:
            raise
        except (
            GoogleAuthError,
            ValueError,
            TypeError,
            LookupError,
            AttributeError,
            OSError,
            subprocess.SubprocessError,
        ) as error:
            # Their texts hold answers, and so tokens; `from None` for the same reason
            raise self._explain(error, place, session.last_origin) from None

    def _explain(
        self, error: Exception, place: str, origin: str | None
    ) -> WebIdentityTokenError:
        """Explain what google-auth stopped at, after the answer of `origin`, if any."""
        kind = type(error).__name__
        if origin is None:
            return self._error(
                f"{place}: its 'credential_source' gives no token ({kind}).",
                "Run the command that it names, or look at its file, as this user.",
            )
        seen = f"is not what Google sends ({kind})"
        if str(error.args[:1]).startswith(NO_TOKEN):
            seen = "has no ID token"
        return self._error(
            f"{place}: the answer of {origin} {seen}.",
            "Check the addresses in the credentials file and the proxy.",
        )

    def _require_audience(self, token: Secret) -> None:
        """Refuse what is no ID token, or one that was made for somebody else."""
        claims = decode_claims(token)
        if claims is None:
            raise self._error(
                "Google's answer is not an ID token.",
                "Check the addresses in the credentials file and the proxy.",
            )
        wanted = self._wish.audience
        if self._wish.is_explicit and wanted not in claims.audience:
            seen = show_words(", ".join(claims.audience), 200)
            raise self._error(
                f"the ID token is for the audience '{seen}', not for '{wanted}'.",
                f"Check '{FIELD}' and who answers in Google's name.",
            )

    def _error(self, cause: str, hint: str) -> WebIdentityTokenError:
        return WebIdentityTokenError(conn_id=self._conn_id, cause=cause, hint=hint)


def _require_google_auth(conn_id: str) -> None:
    try:
        import google.auth  # noqa: F401 - whether they are there is the question
        import requests  # noqa: F401 - is it there?
    except ImportError as error:
        raise MissingDependencyError(
            conn_id=conn_id,
            cause=f"the token source 'google' needs {error.name}.",
            hint="Run pip install 'botocore-conn-provider[google]'.",
        ) from None


@functools.cache  # once for a connection, however many sessions use it
def _warn_without_audience(conn_id: str) -> None:
    logger.warning(
        "Connection '%s' has no '%s': the token is asked for '%s', and a role whose"
        " trust policy does not compare accounts.google.com:oaud takes every ID token"
        " of that Google account, whomever it was made for.",
        shorten(conn_id),
        FIELD,
        DEFAULT_AUDIENCE,
    )
