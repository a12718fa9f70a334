"""AssumeRoleWithWebIdentity: a token source vouches for us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.errors import StsExchangeError
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

    @scrubbed
    def check(self) -> None:
        """Judge the token source and what it starts from."""
        self._tokens.check()

    @scrubbed
    def identify(self) -> dict[str, str]:
        """Describe the token's source and the STS that is asked."""
        return self.view.describe() | self._tokens.identify()

    @scrubbed
    def prove(self) -> IdentityToken:
        """Return a new token; blocks for the sign-in's deadline."""
        return self._tokens.fetch_token()

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
