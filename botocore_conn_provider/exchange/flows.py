"""From a role to credentials: each of STS's three exchanges, assembled once.

    identify, then       prove                       exchange
    AssumeRoleFlow       base identity          ──▶  AssumeRole, signed with it
    SamlFlow             SAML assertion         ──▶  AssumeRoleWithSAML
    WebIdentityFlow      identity token         ──▶  AssumeRoleWithWebIdentity
    ProfileFlow          what its profile says  ──▶  none of ours

The keeper, `credential-process` and `doctor` all run these objects, so what doctor
sees is what a program gets. Each is in a file of its own, imported with the first
connection of that kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.connection.settings import (
    AssumeRole,
    AssumeRoleWithSaml,
    AssumeRoleWithWebIdentity,
    AwsSettings,
)

if TYPE_CHECKING:
    from botocore_conn_provider.exchange.assume_role_flow import AssumeRoleFlow
    from botocore_conn_provider.exchange.profile_flow import ProfileFlow
    from botocore_conn_provider.exchange.saml_flow import SamlFlow
    from botocore_conn_provider.exchange.session_view import SessionView
    from botocore_conn_provider.exchange.web_identity_flow import WebIdentityFlow

    AnyFlow = AssumeRoleFlow | SamlFlow | WebIdentityFlow | ProfileFlow


def create_flow(settings: AwsSettings, view: SessionView) -> AnyFlow:
    """Return the flow of the connection's role or profile. Asks nothing yet.

    Args:
        settings: A connection with a role, or with a profile that is renewed.
        view: What the session said, and the snapshot of its creation.
    """
    role = settings.role
    if isinstance(role, AssumeRole):
        from botocore_conn_provider.exchange.assume_role_flow import AssumeRoleFlow

        return AssumeRoleFlow(settings, role, view)
    if isinstance(role, AssumeRoleWithSaml):
        from botocore_conn_provider.exchange.saml_flow import SamlFlow

        return SamlFlow(settings, role, view)
    if isinstance(role, AssumeRoleWithWebIdentity):
        from botocore_conn_provider.exchange.web_identity_flow import WebIdentityFlow

        return WebIdentityFlow(settings, role, view)
    if settings.profile_name is not None:
        from botocore_conn_provider.exchange.profile_flow import ProfileFlow

        return ProfileFlow(settings, view)
    raise TypeError("a connection without a role or profile has nothing to exchange")
