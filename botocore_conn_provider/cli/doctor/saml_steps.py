"""The steps of a SAML sign-in: the way to the IdP, the ticket, the page, the roles."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from botocore_conn_provider.cli.doctor.idp_route import IdpWay
from botocore_conn_provider.cli.doctor.step import Step
from botocore_conn_provider.errors import SamlResponseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.exchange.saml_flow import SamlFlow
    from botocore_conn_provider.federation.saml import SamlProof

SPNEGO = "spnego"


class SamlSteps:
    """Gets the proof. One sign-in: what was wrong with its page is told after it."""

    def __init__(self, flow: SamlFlow) -> None:
        self._settings = flow.settings
        self._role = flow.role
        self._flow = flow
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

    def take_proof(self) -> SamlProof:
        """Return the proof, once the steps were good."""
        if self._found is None or isinstance(self._found, SamlResponseError):
            raise TypeError("the steps before this one were not good")
        return self._found

    def _look_at_method(self) -> Iterator[str]:
        self._flow.check()
        yield f"{self._role.sign_in.method}; its libraries are there"

    def _look_at_ticket(self) -> Iterator[str]:
        """Tell of ticket and service. A page that asks for no sign-in needs none."""
        from gssapi.raw import GSSError  # of the extra [saml], there since `check`

        from botocore_conn_provider.federation.saml.kerberos import acquire, read_words
        from botocore_conn_provider.federation.saml.negotiation import find_service

        service = find_service(self._role.sign_in.idp_url, self._role.sign_in)
        yield f"service {service.spn}"
        try:
            environ = self._flow.view.snapshot.settle()
            held = acquire(environ, conn_id=self._settings.conn_id)
            yield f"principal {held.name}, {held.lifetime // 60} min left"
        except GSSError as error:
            yield f"no ticket to show: {read_words(error)}"

    def _look_at_sign_in(self) -> Iterator[str]:
        self._flow.identify()
        try:
            self._found = self._flow.prove()
        except SamlResponseError as error:
            self._found = error
        yield "the IdP let us in"

    def _look_at_page(self) -> Iterator[str]:
        if isinstance(self._found, SamlResponseError):
            raise self._found
        yield "it holds one SAML response"

    def _look_at_assertion(self) -> Iterator[str]:
        proof = self.take_proof()
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
