"""From a role to credentials: the whole exchange, for the keeper to call.

    base identity ─┐
    SAML proof ────┼─▶ StsExchange ─▶ TemporaryCredentials
    identity token ┘

A fetcher knows nothing of renewal, and keeps nothing but the STS client. That
belongs to one process: a forked child makes its own, because an inherited client
shares its parent's open connection. Whoever calls (the keeper) calls it from one
thread at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.connection.settings import (
    AssumeRole,
    AssumeRoleWithSaml,
    AssumeRoleWithWebIdentity,
    AwsSettings,
)
from botocore_conn_provider.errors import StsExchangeError
from botocore_conn_provider.exchange.base_session import load_base_credentials
from botocore_conn_provider.exchange.sts import StsExchange, create_sts_client
from botocore_conn_provider.fork import PerProcess

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore_conn_provider.connection.environment import Environ
    from botocore_conn_provider.exchange.base_session import UnfittedSession
    from botocore_conn_provider.exchange.sts import TemporaryCredentials

    MakeBase = Callable[[], UnfittedSession]
    Fetch = Callable[[], TemporaryCredentials]


def create_fetch(
    settings: AwsSettings, make_base: MakeBase, *, environ: Environ
) -> Fetch:
    """Return what does the exchange of the connection's role. Fetches nothing yet.

    Args:
        settings: A connection with a role.
        make_base: Makes the session of the base identity and of the region.
        environ: For the source of an identity token.
    """
    role = settings.role
    if isinstance(role, AssumeRole):
        return _create_assume_role(settings, role, make_base)
    if isinstance(role, AssumeRoleWithSaml):
        return _create_saml(settings, role, make_base)
    if isinstance(role, AssumeRoleWithWebIdentity):
        return _create_web_identity(settings, role, make_base, environ=environ)
    raise TypeError("a connection without a role has nothing to exchange")


def _create_assume_role(
    settings: AwsSettings, role: AssumeRole, make_base: MakeBase
) -> Fetch:
    def make_exchange() -> StsExchange:
        base = make_base()
        load_base_credentials(base, settings)
        client = create_sts_client(base, settings.client, unsigned=False)
        return StsExchange(client, conn_id=settings.conn_id)

    exchange = PerProcess(make_exchange)
    return lambda: exchange().assume_role(role)


def _create_saml(
    settings: AwsSettings, role: AssumeRoleWithSaml, make_base: MakeBase
) -> Fetch:
    # Late, as below: a connection of another kind does not pay for it.
    from botocore_conn_provider.federation.saml.saml_proof import SamlProofFetcher

    exchange = _unsigned(settings, make_base)
    proofs = SamlProofFetcher(
        role,
        conn_id=settings.conn_id,
        deadline_seconds=settings.own.sign_in_deadline_seconds,
        allow_plugins=settings.own.plugins,
    )

    def fetch() -> TemporaryCredentials:
        proof = proofs.fetch_proof()
        return exchange().assume_role_with_saml(
            role, principal_arn=proof.principal_arn, assertion=proof.assertion
        )

    return fetch


def _create_web_identity(
    settings: AwsSettings,
    role: AssumeRoleWithWebIdentity,
    make_base: MakeBase,
    *,
    environ: Environ,
) -> Fetch:
    from botocore_conn_provider.federation.web_identity.identity_token import (
        WebIdentityTokenFetcher,
    )
    from botocore_conn_provider.federation.web_identity.refused_token import (
        explain_refusal,
    )

    exchange = _unsigned(settings, make_base)
    tokens = WebIdentityTokenFetcher(
        role,
        conn_id=settings.conn_id,
        deadline_seconds=settings.own.sign_in_deadline_seconds,
        allow_plugins=settings.own.plugins,
        environ=environ,
    )

    def fetch() -> TemporaryCredentials:
        token = tokens.fetch_token()
        try:
            return exchange().assume_role_with_web_identity(role, token=token.token)
        except StsExchangeError as error:
            raise explain_refusal(error, token, role) from None

    return fetch


def _unsigned(settings: AwsSettings, make_base: MakeBase) -> PerProcess[StsExchange]:
    return PerProcess(
        lambda: StsExchange(
            create_sts_client(make_base(), settings.client, unsigned=True),
            conn_id=settings.conn_id,
        )
    )
