"""What the connection gives a session's variables, beneath what the code says itself.

Region and profile come from the connection. A preference of the environment for
bearer tokens does not count where the connection says who we are.

Source: botocore's documentation of its config store and of session variables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.configprovider import BaseProvider, ChainProvider

from botocore_conn_provider.errors import InvalidConnectionError

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.sessions.binding import FittedSession

# The authentication schemes that sign with a connection's keys begin so.
SIGNED = "sigv4"


def put_session_defaults(fitted: FittedSession) -> None:
    """Put the connection's providers before the session's own."""
    store = fitted.session.get_component("config_store")
    for kind in (RegionDefault, ProfileDefault, AuthSchemeDefault):
        replaced = store.get_config_provider(kind.name)
        # None: the program set a value there, or an older botocore lacks the variable.
        if replaced is not None:
            store.set_config_provider(kind.name, kind(fitted, replaced))


class VariableDefault(BaseProvider):
    """A session variable that the connection gives a default for."""

    name: str

    def __init__(self, fitted: FittedSession, replaced: BaseProvider) -> None:
        self._fitted = fitted
        self.replaced = replaced

    def provide(self) -> str | None:
        """Return the session's own value, else the connection's, else the old.

        With a connection that is wrong or missing, the session's own value only: a
        session is then made and shown as ever, and the first client or credentials
        say what is wrong. The environment's value is not taken in its stead.
        """
        own: str | None = self._fitted.session.instance_variables().get(self.name)
        try:
            settings = self._fitted.read()
        except InvalidConnectionError:
            return own
        if settings is None:
            value: str | None = self.replaced.provide()
            return value
        return own or self._choose(settings)

    def _choose(self, settings: AwsSettings) -> str | None:
        raise NotImplementedError


class RegionDefault(VariableDefault):
    """Session's own region, the connection's, environment, profile, in this order."""

    name = "region"

    def _choose(self, settings: AwsSettings) -> str | None:
        region: str | None = settings.client.region_name
        return region or self.replaced.provide()


class ProfileDefault(VariableDefault):
    """The connection's profile, else that of the environment if it exists.

    An unknown `AWS_PROFILE` does not break a connection that has an identity of
    its own.
    """

    name = "profile"

    def _choose(self, settings: AwsSettings) -> str | None:
        if settings.profile_name is not None:
            return settings.profile_name
        name: str | None = self.replaced.provide()
        known = (
            settings.starts_from_chain
            or name in self._fitted.session.available_profiles
        )
        return name if known else None


class AuthSchemeDefault(VariableDefault):
    """The environment's and the files' preference, without schemes of other identities.

    A bearer token, or no signature, is not what the connection names. A provider that
    the program put there itself decides as before.
    """

    name = "auth_scheme_preference"

    def _choose(self, settings: AwsSettings) -> str | None:
        said: str | None = self.replaced.provide()
        of_program = not isinstance(self.replaced, ChainProvider)
        if said is None or of_program or not settings.names_identity:
            return said
        schemes = [scheme.strip() for scheme in said.split(",")]
        return ",".join(each for each in schemes if each.startswith(SIGNED)) or None
