"""The steps of a SAML sign-in: the way to the IdP, the ticket, the page, the roles."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from botocore_conn_provider.cli.doctor.idp_route import IdpWay
from botocore_conn_provider.cli.doctor.step import Step
from botocore_conn_provider.errors import SamlResponseError
from botocore_conn_provider.exchange.sts import StsExchange, create_sts_client
from botocore_conn_provider.federation.saml.saml_proof import SamlProofFetcher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.connection.settings import (
        AssumeRoleWithSaml,
        AwsSettings,
    )
    from botocore_conn_provider.exchange.base_session import UnfittedSession
    from botocore_conn_provider.exchange.sts import TemporaryCredentials
    from botocore_conn_provider.federation.saml import SamlProof

SPNEGO = "spnego"


class SamlSteps:
    """Finds the proof. One sign-in: what was wrong with its page is told after it."""

    def __init__(self, settings: AwsSettings, role: AssumeRoleWithSaml) -> None:
        self._settings = settings
        self._role = role
        self._fetcher = SamlProofFetcher(
            role,
            conn_id=settings.conn_id,
            deadline_seconds=settings.own.sign_in_deadline_seconds,
            allow_plugins=settings.own.plugins,
        )
        self._found: SamlProof | SamlResponseError | None = None

    def list(self) -> Iterator[Step]:
        """Yield the steps in their order."""
        yield Step("sign-in method", self._look_at_method)
        yield from IdpWay(self._role.sign_in, conn_id=self._settings.conn_id).list()
        if self._role.sign_in.method == SPNEGO:
            yield Step("Kerberos ticket", self._look_at_ticket)
        yield Step("sign-in", self._look_at_sign_in)
        yield Step("page", self._look_at_page)
        yield Step("assertion", self._look_at_assertion)

    def exchange(self, base: UnfittedSession) -> TemporaryCredentials:
        """Exchange the proof."""
        proof = self._require_proof()
        client = create_sts_client(base, self._settings.client, unsigned=True)
        return StsExchange(
            client, conn_id=self._settings.conn_id
        ).assume_role_with_saml(
            self._role, principal_arn=proof.principal_arn, assertion=proof.assertion
        )

    def _look_at_method(self) -> Iterator[str]:
        self._fetcher.check()
        yield f"{self._role.sign_in.method}; its libraries are there"

    def _look_at_ticket(self) -> Iterator[str]:
        """Tell of ticket and service. A page that asks for no sign-in needs none."""
        import gssapi  # of the extra [saml], there since `check`
        from gssapi.raw import GSSError

        from botocore_conn_provider.federation.saml.kerberos import read_words
        from botocore_conn_provider.federation.saml.negotiation import find_service

        service = find_service(self._role.sign_in.idp_url, self._role.sign_in)
        yield f"service {service.spn}"
        try:
            held = gssapi.Credentials(usage="initiate")
            yield f"principal {held.name}, {held.lifetime // 60} min left"
        except GSSError as error:
            yield f"no ticket to show: {read_words(error)}"

    def _look_at_sign_in(self) -> Iterator[str]:
        try:
            self._found = self._fetcher.fetch_proof()
        except SamlResponseError as error:
            self._found = error
        yield "the IdP let us in"

    def _look_at_page(self) -> Iterator[str]:
        if isinstance(self._found, SamlResponseError):
            raise self._found
        yield "it holds one SAML response"

    def _require_proof(self) -> SamlProof:
        if self._found is None or isinstance(self._found, SamlResponseError):
            raise TypeError("the steps before this one were not good")
        return self._found

    def _look_at_assertion(self) -> Iterator[str]:
        proof = self._require_proof()
        details = proof.details
        yield details.describe()
        yield f"provider {proof.principal_arn}"
        now = datetime.datetime.now(tz=datetime.timezone.utc)
        until = details.not_on_or_after
        if until is not None and until <= now:
            raise SamlResponseError(
                conn_id=self._settings.conn_id,
                cause=f"The assertion ended at {until.isoformat()}; this machine's"
                f" clock shows {now.isoformat(timespec='seconds')}.",
                hint="Compare the clocks of this machine and of the IdP (NTP).",
            )
