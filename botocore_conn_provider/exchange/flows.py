"""From a role to credentials: each of STS's three exchanges, assembled once.

    identify, then       prove                       exchange
    AssumeRoleFlow       base identity          ──▶  AssumeRole, signed with it
    SamlFlow             SAML assertion         ──▶  AssumeRoleWithSAML
    WebIdentityFlow      identity token         ──▶  AssumeRoleWithWebIdentity

The keeper, `credential-process` and `doctor` all run these objects, so what doctor
sees is what a program gets.

A flow knows nothing of renewal and keeps nothing between two runs: no proof, no
client. An STS client lives for one exchange, because a forked child must not share
its parent's open connection.

Thread safety: a flow is run by one thread at a time, the keeper's renewal.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, TypeVar

from botocore_conn_provider.connection.settings import (
    AssumeRole,
    AssumeRoleWithSaml,
    AssumeRoleWithWebIdentity,
    AwsSettings,
)
from botocore_conn_provider.errors import CredentialFetchError, StsExchangeError
from botocore_conn_provider.exchange.sts import StsExchange, create_sts_client
from botocore_conn_provider.tracebacks import scrubbed
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from botocore_conn_provider.exchange.base_session import (
        BaseIdentity,
        UnfittedSession,
    )
    from botocore_conn_provider.exchange.session_view import SessionView
    from botocore_conn_provider.exchange.sts import TemporaryCredentials
    from botocore_conn_provider.federation.saml.saml_proof import SamlProof
    from botocore_conn_provider.federation.web_identity.identity_token import (
        IdentityToken,
    )

Proof = TypeVar("Proof")
# How long a base identity that was found tells whose the next exchange is.
PROOF_SECONDS = 5.0


class Proven(Value):
    """A base identity, and when it was found (seconds of the monotonic clock).

    `proof` has no session, which would hold botocore's models; `told` describes it.
    """

    proof: BaseIdentity
    at: float
    told: dict[str, str]

    def __repr__(self) -> str:
        return f"Proven({self.proof!r})"


class Flow(Protocol[Proof]):
    """One exchange in two steps. Blocks as its sources do; see each class."""

    def check(self) -> None:
        """Judge all that can be judged without the network.

        Raises:
            InvalidConnectionError, MissingDependencyError: Something is wrong here.
        """

    def identify(self) -> dict[str, str]:
        """Describe who asks, by content: what else than the settings decides it.

        Two askers share credentials only if this is the same. Holds secrets: never
        show it. May ask where the identity is only known by asking; no exchange.

        Raises:
            ConnProviderError: There is no identity to be had.
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
        self, settings: AwsSettings, role: AssumeRole, view: SessionView
    ) -> None:
        self.settings = settings
        self.role = role
        self.view = view
        self._proven: Proven | None = None
        # Where the chain found the identity: what it finds elsewhere is another.
        self._method: str | None = None

    @scrubbed
    def check(self) -> None:
        """Nothing is left to judge: reading and `checks.judge` have judged it all."""

    @scrubbed
    def identify(self) -> dict[str, str]:
        """Describe the base identity, found now, and the STS that is asked."""
        asker = self.view.describe()
        if self.settings.keys is not None:  # they are part of the settings
            return asker
        proven, now = self._proven, time.monotonic()
        if proven is None or now - proven.at >= PROOF_SECONDS:
            proof = self._find_base()
            told = proof.describe(self.view.snapshot)
            proven = Proven(proof._replace(session=None), now, told)
        self._proven = proven
        return asker | proven.told

    @scrubbed
    def prove(self) -> BaseIdentity:
        """Return the base identity; may ask the network, as botocore's chain does.

        The files and programs that the snapshot names are asked at each exchange. What
        `identify` has found serves the exchange that follows it: credentials are then
        shared among those that it told apart by this very identity.
        """
        proven, self._proven = self._proven, None
        return self._find_base() if proven is None else proven.proof

    def _find_base(self) -> BaseIdentity:
        from botocore_conn_provider.exchange.base_session import load_base_identity

        session = _create_session(self.settings, self.view)
        found = load_base_identity(session, self.settings)
        self._method = self._method or found.method
        if found.method != self._method:
            raise _explain_moved(self.settings, self._method, found.method)
        return found

    @scrubbed
    def exchange(self, proof: BaseIdentity) -> TemporaryCredentials:
        """Call AssumeRole, signed with this very identity."""
        session = proof.session or _create_session(self.settings, self.view)
        client = create_sts_client(session, self.settings.client, signed_with=proof)
        sts = StsExchange(client, conn_id=self.settings.conn_id)
        return sts.assume_role(self.role)


class SamlFlow:
    """AssumeRoleWithSAML, after a sign-in at the IdP."""

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
        sts = _create_sts(self.settings, self.view)
        return sts.assume_role_with_saml(
            self.role, principal_arn=proof.principal_arn, assertion=proof.assertion
        )


class WebIdentityFlow:
    """AssumeRoleWithWebIdentity, with a token from Google, a file or a plug-in."""

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
        sts = _create_sts(self.settings, self.view)
        try:
            return sts.assume_role_with_web_identity(self.role, token=proof.token)
        except StsExchangeError as error:
            # Imported here: only a failure needs the explanation.
            from botocore_conn_provider.federation.web_identity.refused_token import (
                explain_refusal,
            )

            raise explain_refusal(error, proof, self.role) from None


AnyFlow = AssumeRoleFlow | SamlFlow | WebIdentityFlow


def create_flow(settings: AwsSettings, view: SessionView) -> AnyFlow:
    """Return the flow of the connection's role. Asks nothing yet.

    Args:
        settings: A connection with a role.
        view: What the session said, and the snapshot of its creation.
    """
    role = settings.role
    if isinstance(role, AssumeRole):
        return AssumeRoleFlow(settings, role, view)
    if isinstance(role, AssumeRoleWithSaml):
        return SamlFlow(settings, role, view)
    if isinstance(role, AssumeRoleWithWebIdentity):
        return WebIdentityFlow(settings, role, view)
    raise TypeError("a connection without a role has nothing to exchange")


def _create_session(settings: AwsSettings, view: SessionView) -> UnfittedSession:
    # Imported here: a start from the store loads no session of botocore's.
    from botocore_conn_provider.exchange.base_session import create_base_session

    return create_base_session(settings, view)


def _explain_moved(
    settings: AwsSettings, method: str, found: str
) -> CredentialFetchError:
    return CredentialFetchError(
        conn_id=settings.conn_id,
        cause=f"its base identity was found in '{method}' when the session was"
        f" created. There is none now, and what is found in '{found}' is another.",
        hint="Put it back, or create another session.",
    )


def _create_sts(settings: AwsSettings, view: SessionView) -> StsExchange:
    """Make the exchange of a flow whose call is not signed."""
    client = create_sts_client(_create_session(settings, view), settings.client)
    return StsExchange(client, conn_id=settings.conn_id)
