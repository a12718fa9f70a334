"""Short ways to say what a test asks of the sign-in."""

from __future__ import annotations

from typing import Any

from botocore_conn_provider.connection.environment import Environ, current_environment
from botocore_conn_provider.connection.settings import AssumeRoleWithSaml, SamlSignIn
from botocore_conn_provider.federation.saml import SamlProofFetcher
from botocore_conn_provider.secret import Options
from tests.federation.saml.signing import ROLE

OPTIONS = ("request", "retry", "auth")
DEADLINE_SECONDS = 10.0


def build_fetcher(
    url: str,
    *,
    role_arn: str = ROLE,
    principal_arn: str | None = None,
    deadline_seconds: float = DEADLINE_SECONDS,
    sign_in: dict[str, Any] | None = None,
    environ: Environ | None = None,
) -> SamlProofFetcher:
    """Return the fetcher for a connection with these settings of the sign-in."""
    given: dict[str, Any] = {
        name: Options(value) if name in OPTIONS else value
        for name, value in (sign_in or {}).items()
    }
    return SamlProofFetcher(
        AssumeRoleWithSaml(
            role_arn=role_arn,
            sign_in=SamlSignIn(idp_url=url, **given),
            principal_arn=principal_arn,
        ),
        conn_id="corp",
        deadline_seconds=deadline_seconds,
        allow_plugins=True,
        environ=dict(environ or current_environment()),
    )


def build_page(value: str) -> str:
    """Return the page that most IdPs end with."""
    return (
        '<html><body onload="document.forms[0].submit()"><form method="post"'
        ' action="https://signin.aws.amazon.com/saml"><input type="hidden"'
        f' name="SAMLResponse" value="{value}"></form></body></html>'
    )
