"""The steps of a web identity: where the token comes from, and what it says."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from botocore_conn_provider.cli.doctor.step import Step
from botocore_conn_provider.errors import WebIdentityTokenError
from botocore_conn_provider.federation.web_identity.claims import list_condition_keys
from botocore_conn_provider.federation.web_identity.refused_token import (
    describe_claims,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.connection.environment import Environ
    from botocore_conn_provider.exchange.web_identity_flow import WebIdentityFlow
    from botocore_conn_provider.federation.web_identity.claims import Claims
    from botocore_conn_provider.federation.web_identity.identity_token import (
        IdentityToken,
    )


class WebIdentitySteps:
    """Gets the token."""

    _token: IdentityToken

    def __init__(self, flow: WebIdentityFlow, *, environ: Environ) -> None:
        self._settings = flow.settings
        self._role = flow.role
        self._flow = flow
        self._environ = environ

    def list(self) -> Iterator[Step]:
        """Yield the steps in their order."""
        yield Step("token source", self._look_at_source)
        yield Step("token", self._look_at_token)
        yield Step("claims", self._look_at_claims)

    def take_proof(self) -> IdentityToken:
        """Return the token, once the steps were good."""
        return self._token

    def _look_at_source(self) -> Iterator[str]:
        self._flow.check()
        self._flow.identify()
        yield self._describe_source()

    def _describe_source(self) -> str:
        if self._role.token_source == "google":  # noqa: S105 - a name
            from botocore_conn_provider.federation.web_identity.google.adc import (
                read_credentials,
            )

            file = read_credentials(self._environ, conn_id=self._settings.conn_id)
            return f"{file.place}: {file.kind}" if file else "Google's metadata server"
        return f"{self._role.token_source} {self._role.token_file or ''}".strip()

    def _look_at_token(self) -> Iterator[str]:
        self._token = self._flow.prove()
        claims = self._token.claims
        yield describe_claims(claims) if claims else "opaque: it says nothing of itself"

    def _look_at_claims(self) -> Iterator[str]:
        claims = self._token.claims
        if claims is None:
            yield "not to be read: STS alone can tell"
            return
        self._require_current(claims)
        for key, value in list_condition_keys(claims).items():
            yield f"AWS compares {key} = {value}"

    def _require_current(self, claims: Claims) -> None:
        now = datetime.datetime.now(tz=datetime.timezone.utc)
        clock = f"this machine's clock shows {now.isoformat(timespec='seconds')}"
        told = None
        if claims.expires_at is not None and claims.expires_at <= now:
            told = f"The token expired at {claims.expires_at.isoformat()}"
        elif claims.issued_at is not None and claims.issued_at > now:
            told = f"The token is issued at {claims.issued_at.isoformat()}"
        if told is not None:
            raise WebIdentityTokenError(
                conn_id=self._settings.conn_id,
                cause=f"{told}; {clock}.",
                hint="Check what renews the token, and the clock (timedatectl).",
            )
