"""What the connection gives a session's variables, beneath what the code says itself.

Region and profile come from the connection. A preference of the environment for
bearer tokens does not count where the connection says who we are.

Source: botocore's documentation of its config store and of session variables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.configprovider import BaseProvider

from botocore_conn_provider.connection.environment import find_former
from botocore_conn_provider.errors import InvalidConnectionError
from botocore_conn_provider.exchange.session_reading import (
    is_of_botocore,
    list_names,
    rebind,
)
from botocore_conn_provider.exchange.session_view import FILES
from botocore_conn_provider.secret import Hidden

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.sessions.binding import FittedSession

# The authentication schemes that sign with a connection's keys begin so.
SIGNED = "sigv4"
# Of a variable that the program took from the session: nothing finds it.
NOT_SPECIFIED = (None, None, None, None)


def put_session_defaults(fitted: FittedSession) -> None:
    """Put the connection's providers before the session's own."""
    store = fitted.session.get_component("config_store")
    for name, kind in DEFAULTS.items():
        replaced = store.get_config_provider(name)
        # None: the program set a value there, or an older botocore lacks the variable.
        if replaced is not None:
            store.set_config_provider(name, kind(name, fitted, replaced))


class VariableDefault(BaseProvider):
    """A session variable that the connection gives a default for."""

    def __init__(
        self, name: str, fitted: FittedSession, replaced: BaseProvider
    ) -> None:
        self.name = name
        self._fitted = fitted
        # Its repr shows the whole environment.
        self._replaced = Hidden(replaced)
        # Judged once, because botocore asks for the profile dozens of times for a
        # client. Another specification replaces this provider, too.
        specification = fitted.session.session_var_map.get(name, NOT_SPECIFIED)
        self._is_botocores = is_of_botocore(replaced, name, specification)
        _, self._variables, self._default, _ = specification

    @property
    def replaced(self) -> BaseProvider:
        """The session's own provider of the variable."""
        return self._replaced.reveal()

    def _ask_replaced(self) -> str | None:
        """Return what the session's own provider finds.

        Where we changed the environment for other engines, as if we had not.
        """
        provider = self.replaced
        former = find_former()
        if former is not None:
            provider = rebind(provider, self._fitted.session, former)
        value: str | None = provider.provide()
        return value

    def provide(self) -> str | None:
        """Return the session's own value, else the connection's, else the old.

        With a connection that is wrong or missing, the session's own value only: a
        session is then made and shown as ever, and the first client or credentials
        say what is wrong. The environment's value is not taken in its stead.
        """
        try:
            settings = self._fitted.read()
        except InvalidConnectionError:
            return self._find_own()
        if settings is None:
            return self._ask_replaced()
        return self._find_own() or self._choose(settings)

    def _find_own(self) -> str | None:
        """Return what the program said in code."""
        own: str | None = self._fitted.session.instance_variables().get(self.name)
        return own

    def _choose(self, settings: AwsSettings) -> str | None:
        raise NotImplementedError

    def _find_at_creation(self) -> str | None:
        """Return what botocore would have found when the session was created.

        A provider that the program put there is asked now.
        """
        if not self._is_botocores:
            return self._ask_replaced()
        environ = self._fitted.binding.snapshot.environ
        found = [
            environ[name] for name in list_names(self._variables) if name in environ
        ]
        value: str | None = found[0] if found else self._default
        return value


class RegionDefault(VariableDefault):
    """Session's own region, the connection's, environment, profile, in this order."""

    def _choose(self, settings: AwsSettings) -> str | None:
        region: str | None = settings.client.region_name
        return region or self._ask_replaced()


class ProfileDefault(VariableDefault):
    """The connection's profile, else that of the environment if it exists.

    An unknown `AWS_PROFILE` does not break a connection that has an identity of
    its own.
    """

    def _find_own(self) -> str | None:
        """Return None: where the program named a profile, no connection applies."""
        return None

    def _choose(self, settings: AwsSettings) -> str | None:
        if settings.profile_name is not None:
            return settings.profile_name
        name = self._find_at_creation()
        if name is None:
            return None
        known = (
            settings.starts_from_chain
            or name in self._fitted.session.available_profiles
        )
        return name if known else None


class FileDefault(VariableDefault):
    """One of AWS's two files: that of the environment when the session was created.

    The profile that a connection names is looked for where its keys will be read.
    """

    def provide(self) -> str | None:
        """Return an absolute path where a connection applies, be it a wrong one.

        A file that the program named on its session is the one it named.
        """
        path: str | None = self._fitted.session.instance_variables().get(self.name)
        if path is not None:
            return path
        try:
            applies = self._fitted.read() is not None
        except InvalidConnectionError:
            applies = True
        if not applies:
            return self._ask_replaced()
        path = self._find_at_creation()
        return path and self._fitted.binding.snapshot.locate(path)


class AuthSchemeDefault(VariableDefault):
    """The environment's and the files' preference, without schemes of other identities.

    A bearer token, or no signature, is not what the connection names. A provider that
    the program put there itself decides as before.
    """

    def _choose(self, settings: AwsSettings) -> str | None:
        said = self._ask_replaced()
        if said is None or not self._is_botocores or not settings.names_identity:
            return said
        schemes = [scheme.strip() for scheme in said.split(",")]
        return ",".join(each for each in schemes if each.startswith(SIGNED)) or None


DEFAULTS: dict[str, type[VariableDefault]] = {
    "region": RegionDefault,
    "profile": ProfileDefault,
    "auth_scheme_preference": AuthSchemeDefault,
    **dict.fromkeys(FILES, FileDefault),
}
