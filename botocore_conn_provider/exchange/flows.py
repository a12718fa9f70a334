"""From a role to credentials: each of STS's three exchanges, assembled once.

                         prove                       exchange
    AssumeRoleFlow       base identity          ──▶  AssumeRole, signed with it
    SamlFlow             SAML assertion         ──▶  AssumeRoleWithSAML
    WebIdentityFlow      identity token         ──▶  AssumeRoleWithWebIdentity

The keeper, `credential-process` and `doctor` all run these objects, so what doctor
sees is what a program gets.

A flow knows nothing of renewal and keeps nothing between two runs: no proof, no
client. An STS client lives for one exchange, because a forked child must not share
its parent's open connection.

Thread safety: a flow holds no state of its own, so threads may share it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from botocore_conn_provider.connection.settings import (
    AssumeRole,
    AssumeRoleWithSaml,
    AssumeRoleWithWebIdentity,
    AwsSettings,
)
from botocore_conn_provider.errors import StsExchangeError
from botocore_conn_provider.exchange.base_session import load_base_identity
from botocore_conn_provider.exchange.sts import StsExchange, create_sts_client

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore_conn_provider.connection.environment import Environ
    from botocore_conn_provider.exchange.base_session import (
        BaseIdentity,
        UnfittedSession,
    )
    from botocore_conn_provider.exchange.sts import TemporaryCredentials
    from botocore_conn_provider.federation.saml.saml_proof import SamlProof
    from botocore_conn_provider.federation.web_identity.identity_token import (
        IdentityToken,
    )

    MakeBase = Callable[[], UnfittedSession]

Proof = TypeVar("Proof")


class Flow(Protocol[Proof]):
    """One exchange in two steps. Blocks as its sources do; see each class."""

    def check(self) -> None:
        """Judge all that can be judged without the network.

        Raises:
            InvalidConnectionError, MissingDependencyError: Something is wrong here.
        """

    def prove(self) -> Proof:
        """Get the proof of who we are, a new one at each call.

        Raises:
            ConnProviderError: There is none to be had.
        """

    def exchange(self, proof: Proof) -> TemporaryCredentials:
        """Exchange the proof at STS. Makes one call, with botocore's own retries.

        Raises:
            StsExchangeError: STS refused, could not be reached, or answered nonsense.
        """


def run_flow(flow: Flow[Proof]) -> TemporaryCredentials:
    """Run both steps; raises what they raise."""
    return flow.exchange(flow.prove())


class AssumeRoleFlow:
    """AssumeRole from the connection's keys, its profile, or botocore's own chain."""

    def __init__(
        self, settings: AwsSettings, role: AssumeRole, make_base: MakeBase
    ) -> None:
        self.settings = settings
        self.role = role
        self._make_base = make_base

    def check(self) -> None:
        """Nothing is left to judge: reading and `checks.judge` have judged it all."""

    def prove(self) -> BaseIdentity:
        """Return the base identity; may ask the network, as botocore's chain does."""
        return load_base_identity(self._make_base(), self.settings)

    def exchange(self, proof: BaseIdentity) -> TemporaryCredentials:
        """Call AssumeRole, signed with this very identity."""
        sts = _create_sts(self.settings, self._make_base, signed_with=proof)
        return sts.assume_role(self.role)


class SamlFlow:
    """AssumeRoleWithSAML, after a sign-in at the IdP."""

    def __init__(
        self,
        settings: AwsSettings,
        role: AssumeRoleWithSaml,
        make_base: MakeBase,
        *,
        environ: Environ,
    ) -> None:
        # Imported here: other kinds of connection do not load the federation room.
        from botocore_conn_provider.federation.saml.saml_proof import SamlProofFetcher

        self.settings = settings
        self.role = role
        self._make_base = make_base
        self._proofs = SamlProofFetcher(
            role,
            conn_id=settings.conn_id,
            deadline_seconds=settings.own.sign_in_deadline_seconds,
            allow_plugins=settings.own.plugins,
            environ=environ,
        )

    def check(self) -> None:
        """Judge the sign-in method, its options and its libraries."""
        self._proofs.check()

    def prove(self) -> SamlProof:
        """Sign in and return the assertion; blocks for the sign-in's deadline."""
        return self._proofs.fetch_proof()

    def exchange(self, proof: SamlProof) -> TemporaryCredentials:
        """Call AssumeRoleWithSAML, unsigned."""
        sts = _create_sts(self.settings, self._make_base)
        return sts.assume_role_with_saml(
            self.role, principal_arn=proof.principal_arn, assertion=proof.assertion
        )


class WebIdentityFlow:
    """AssumeRoleWithWebIdentity, with a token from Google, a file or a plug-in."""

    def __init__(
        self,
        settings: AwsSettings,
        role: AssumeRoleWithWebIdentity,
        make_base: MakeBase,
        *,
        environ: Environ,
    ) -> None:
        # Imported here: other kinds of connection do not load the federation room.
        from botocore_conn_provider.federation.web_identity.identity_token import (
            WebIdentityTokenFetcher,
        )

        self.settings = settings
        self.role = role
        self._make_base = make_base
        self._tokens = WebIdentityTokenFetcher(
            role,
            conn_id=settings.conn_id,
            deadline_seconds=settings.own.sign_in_deadline_seconds,
            allow_plugins=settings.own.plugins,
            environ=environ,
        )

    def check(self) -> None:
        """Judge the token source and what it starts from."""
        self._tokens.check()

    def prove(self) -> IdentityToken:
        """Return a new token; blocks for the sign-in's deadline."""
        return self._tokens.fetch_token()

    def exchange(self, proof: IdentityToken) -> TemporaryCredentials:
        """Call AssumeRoleWithWebIdentity, unsigned; explain a refusal by the claims."""
        sts = _create_sts(self.settings, self._make_base)
        try:
            return sts.assume_role_with_web_identity(self.role, token=proof.token)
        except StsExchangeError as error:
            # Imported here: only a failure needs the explanation.
            from botocore_conn_provider.federation.web_identity.refused_token import (
                explain_refusal,
            )

            raise explain_refusal(error, proof, self.role) from None


AnyFlow = AssumeRoleFlow | SamlFlow | WebIdentityFlow


def create_flow(
    settings: AwsSettings, make_base: MakeBase, *, environ: Environ
) -> AnyFlow:
    """Return the flow of the connection's role. Asks nothing yet.

    Args:
        settings: A connection with a role.
        make_base: Makes the session of the base identity and of the region.
        environ: For plug-ins and for the source of an identity token.
    """
    role = settings.role
    if isinstance(role, AssumeRole):
        return AssumeRoleFlow(settings, role, make_base)
    if isinstance(role, AssumeRoleWithSaml):
        return SamlFlow(settings, role, make_base, environ=environ)
    if isinstance(role, AssumeRoleWithWebIdentity):
        return WebIdentityFlow(settings, role, make_base, environ=environ)
    raise TypeError("a connection without a role has nothing to exchange")


def create_fetch(
    settings: AwsSettings, make_base: MakeBase, *, environ: Environ
) -> Callable[[], TemporaryCredentials]:
    """Return a function that runs the whole flow, for the keeper to call."""
    flow: Flow[object] = create_flow(settings, make_base, environ=environ)  # type: ignore[assignment] # each with its own proof
    return lambda: run_flow(flow)


def _create_sts(
    settings: AwsSettings,
    make_base: MakeBase,
    *,
    signed_with: BaseIdentity | None = None,
) -> StsExchange:
    client = create_sts_client(make_base(), settings.client, signed_with=signed_with)
    return StsExchange(client, conn_id=settings.conn_id)
