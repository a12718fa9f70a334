"""AssumeRoleWithSAML: a sign-in at the IdP gives the assertion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.exchange.sts import create_exchange
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import (
        AssumeRoleWithSaml,
        AwsSettings,
    )
    from botocore_conn_provider.exchange.flow import TemporaryCredentials
    from botocore_conn_provider.exchange.session_view import SessionView
    from botocore_conn_provider.federation.saml.saml_proof import SamlProof


class SamlFlow:
    """AssumeRoleWithSAML, after a sign-in at the IdP."""

    is_shared = True

    def __init__(
        self, settings: AwsSettings, role: AssumeRoleWithSaml, view: SessionView
    ) -> None:
        # Imported here: other kinds of connection do not load federation.
        from botocore_conn_provider.federation.saml.saml_proof import SamlProofFetcher

        self.settings = settings
        self.role = role
        self.view = view
        self._proofs = SamlProofFetcher(
            role,
            conn_id=settings.conn_id,
            deadline_seconds=settings.own.sign_in_deadline_seconds,
            allow_plugins=settings.own.plugins,
            environ=view.snapshot.settle(),
        )

    @scrubbed
    def check(self) -> None:
        """Judge the sign-in method, its options and its libraries."""
        self._proofs.check()

    @scrubbed
    def identify(self) -> dict[str, str]:
        """Describe the Kerberos principal and the STS that is asked."""
        return self.view.describe() | self._proofs.identify()

    @scrubbed
    def prove(self) -> SamlProof:
        """Sign in and return the assertion; blocks for the sign-in's deadline."""
        return self._proofs.fetch_proof()

    @scrubbed
    def exchange(self, proof: SamlProof) -> TemporaryCredentials:
        """Call AssumeRoleWithSAML, unsigned."""
        sts = create_exchange(self.settings, self.view)
        return sts.assume_role_with_saml(
            self.role, principal_arn=proof.principal_arn, assertion=proof.assertion
        )
