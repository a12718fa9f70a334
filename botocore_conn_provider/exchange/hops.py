"""Roles that the base identity itself is made of: the hops before the connection's own.

A profile may have a `role_arn` and a source profile that has one too, and botocore's
chain may take a role from the environment. If STS refuses one of these, it is not the
connection's role that was refused, so the error tells which one and where it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore_conn_provider.errors import StsExchangeError
from botocore_conn_provider.exchange.refusal import explain
from botocore_conn_provider.redaction import shorten
from botocore_conn_provider.secret import Options
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    import botocore.session
    from botocore.client import BaseClient

    from botocore_conn_provider.connection.settings import AwsSettings

LAST_SUCCESS = 299
ROLE_VARIABLE = "AWS_ROLE_ARN"


class Hop(Value):
    """One call of STS by botocore's chain.

    `parameters` are those of the call. `place` names where the role stands.
    """

    parameters: Options
    place: str
    endpoint_url: str


class Hops:
    """The hops of one session's chain.

    Attributes:
        refused: What the chain has asked STS for and not been given; None if nothing.
    """

    def __init__(self) -> None:
        self.refused: Hop | None = None

    def watch(
        self, client: BaseClient, session: botocore.session.Session, profile_name: str
    ) -> None:
        """Follow what a chain asks STS for by `client`.

        Args:
            client: Of STS.
            session: Whose configuration file has the profile.
            profile_name: Of the profile that the chain begins with.
        """

        def begin(params: dict[str, Any], **_: Any) -> None:
            profiles = session.full_config.get("profiles", {})
            place = find_place(profiles, profile_name, str(params.get("RoleArn")))
            self.refused = Hop(Options(params), place, client.meta.endpoint_url)

        def end(http_response: Any, **_: Any) -> None:
            if http_response.status_code <= LAST_SUCCESS:
                self.refused = None

        client.meta.events.register("provide-client-params.sts", begin)
        client.meta.events.register("after-call.sts", end)


def find_place(profiles: dict[str, Any], profile_name: str, role_arn: str) -> str:
    """Name the profile that has the role, of those that lead from `profile_name`."""
    seen: list[str] = []
    name: str | None = profile_name
    while name is not None and name not in seen:
        seen.append(name)
        profile = profiles.get(name, {})
        if profile.get("role_arn") == role_arn:
            return f"the profile '{shorten(name, 60)}'" + _name_source(profile)
        name = profile.get("source_profile")
    return ROLE_VARIABLE


def _name_source(profile: dict[str, Any]) -> str:
    for field in ("source_profile", "credential_source", "web_identity_token_file"):
        if field in profile:
            return f" ({field} {shorten(str(profile[field]), 60)})"
    return ""


def explain_hop(error: Exception, hop: Hop, settings: AwsSettings) -> StsExchangeError:
    """Return the error for a hop that STS refused or that did not reach it."""
    failure = explain(error, hop.parameters, hop.endpoint_url)
    whose = "the role of" if settings.role is None else "the hop before 'role_arn',"
    return StsExchangeError(
        conn_id=settings.conn_id,
        cause=f"{whose} {hop.place}: {failure.cause}",
        hint=failure.hint,
        retryable=failure.retryable,
        code=failure.code,
    )
