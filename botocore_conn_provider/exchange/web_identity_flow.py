"""AssumeRoleWithWebIdentity: a token source vouches for us."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

from botocore_conn_provider.errors import StsExchangeError, WebIdentityTokenError
from botocore_conn_provider.exchange.sts import create_exchange
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import (
        AssumeRoleWithWebIdentity,
        AwsSettings,
    )
    from botocore_conn_provider.exchange.flow import TemporaryCredentials
    from botocore_conn_provider.exchange.session_view import SessionView
    from botocore_conn_provider.federation.web_identity.identity_token import (
        IdentityToken,
    )

# The source of which every token is told before it is fetched.
FILE = "file"


class WebIdentityFlow:
    """AssumeRoleWithWebIdentity, with a token from Google, a file or a plug-in."""

    is_shared = True

    def __init__(
        self,
        settings: AwsSettings,
        role: AssumeRoleWithWebIdentity,
        view: SessionView,
    ) -> None:
        # Imported here: other kinds of connection do not load federation.
        from botocore_conn_provider.federation.web_identity.identity_token import (
            WebIdentityTokenFetcher,
        )

        self.settings = settings
        self.role = role
        self.view = view
        token_file = role.token_file and view.snapshot.locate(role.token_file)
        self._tokens = WebIdentityTokenFetcher(
            role._replace(token_file=token_file),
            conn_id=settings.conn_id,
            deadline_seconds=settings.own.sign_in_deadline_seconds,
            allow_plugins=settings.own.plugins,
            environ=view.snapshot.settle(),
        )
        # Of the thread: an attempt that was given up may still go on beside the next.
        self._begun = threading.local()

    @scrubbed
    def check(self) -> None:
        """Judge the token source and what it starts from."""
        self._tokens.check()

    @scrubbed
    def identify(self) -> dict[str, str]:
        """Describe the token's source and the STS that is asked."""
        source = self._tokens.identify()
        if self.role.token_source == FILE:
            self._begun.token = _digest(source["token"].encode("latin-1"))
        return self.view.describe() | source

    @scrubbed
    def prove(self) -> IdentityToken:
        """Return a new token; blocks for the sign-in's deadline.

        Raises:
            WebIdentityTokenError: There is none, or the file holds another one than
                `identify` told of: it may be another's.
        """
        found = self._tokens.fetch_token()
        told = vars(self._begun).pop("token", None)
        if told is not None and told != _digest(found.token.reveal().encode()):
            raise WebIdentityTokenError(
                conn_id=self.settings.conn_id,
                cause="the token file was changed during the renewal.",
                hint="Nothing is to be done: the next attempt reads it again.",
                retryable=True,
            )
        return found

    @scrubbed
    def exchange(self, proof: IdentityToken) -> TemporaryCredentials:
        """Call AssumeRoleWithWebIdentity, unsigned; explain a refusal by the claims."""
        sts = create_exchange(self.settings, self.view)
        try:
            return sts.assume_role_with_web_identity(self.role, token=proof.token)
        except StsExchangeError as error:
            # Imported here: only a failure needs the explanation.
            from botocore_conn_provider.federation.web_identity.refused_token import (
                explain_refusal,
            )

            raise explain_refusal(error, proof, self.role) from None


def _digest(content: bytes) -> bytes:
    """Return what tells tokens apart and is none: a token stays in its attempt."""
    return hashlib.sha256(content.rstrip(b"\r\n")).digest()
