"""What the connection gives a session defaults for, beneath what the code says itself.

Session variables: region and profile. Arguments of `create_client`: the Config, the
endpoint and `verify`, each only where the caller left None.

Source: botocore's documentation of its config store and of session variables.
"""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import botocore.client
import botocore.session
from botocore.configprovider import BaseProvider

from botocore_conn_provider.fork import ProcessLock
from botocore_conn_provider.sessions.aio_detection import is_aio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from botocore.config import Config

    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.sessions.binding import FittedSession


def put_client_defaults(fitted: FittedSession) -> None:
    """Replace the session's own `create_client`, on the session and not the class."""
    create_client = ClientCreation(fitted).create_client
    setattr(fitted.session, "create_client", create_client)  # noqa: B010 - mypy


class ClientCreation:
    """Creates a session's clients with the connection's defaults.

    Thread safety: botocore's sessions are not safe to make clients on from many
    threads at once (boto/boto3#1592), so each session makes one at a time.
    """

    def __init__(self, fitted: FittedSession) -> None:
        self._fitted = fitted
        self._create_client = fitted.session.create_client
        self._lock = ProcessLock()

    def create_client(
        self, service_name: str, *args: Any, **kwargs: Any
    ) -> botocore.client.BaseClient:
        """Create a client with the connection's defaults where the caller has none."""
        named = _name_arguments((service_name, *args))
        given = {**named, **kwargs}
        fitted = self._fitted
        with self._lock:
            settings = fitted.read()
            if settings is not None:
                fill_client_arguments(given, settings, fitted.session)
            config = given.get("config")
            asked = given.get("region_name") or getattr(config, "region_name", None)
            fitted.client_region = asked or fitted.client_region
            return self._create_client(**given)


def fill_client_arguments(
    given: dict[str, Any], settings: AwsSettings, session: botocore.session.Session
) -> None:
    """Fill what the caller left None: Config beneath the caller's, endpoint, verify."""
    from botocore_conn_provider.exchange.checks import build_config

    config = build_config(settings.client.config)
    callers = [session.get_default_client_config(), given.get("config")]
    if is_aio(session):
        from botocore_conn_provider.sessions.aio.aio_config import (
            merge_all,  # imports it
        )
    else:
        merge_all = _merge_all
    given["config"] = merge_all(config, callers)
    if given.get("endpoint_url") is None:
        given["endpoint_url"] = settings.client.find_endpoint(given["service_name"])
    if given.get("verify") is None:
        given["verify"] = settings.client.verify


def _merge_all(lowest: Config, callers: Sequence[Config | None]) -> Config:
    for above in callers:
        if above is not None:
            lowest = lowest.merge(above)
    return lowest


def _name_arguments(args: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(_argument_names(), args, strict=False)) if args else {}


@lru_cache(maxsize=1)
def _argument_names() -> tuple[str, ...]:
    """Return the names of what `create_client` takes, after `self`.

    Those of botocore's: aiobotocore's are the same and hidden behind `*args`.
    """
    method = botocore.session.Session.create_client
    return tuple(inspect.signature(method).parameters)[1:]


def put_session_defaults(fitted: FittedSession) -> None:
    """Put the connection's providers before the session's own."""
    store = fitted.session.get_component("config_store")
    for name, kind in (("region", RegionDefault), ("profile", ProfileDefault)):
        replaced = store.get_config_provider(name)
        store.set_config_provider(name, kind(fitted, replaced))


class VariableDefault(BaseProvider):
    """A session variable that the connection gives a default for."""

    def __init__(self, fitted: FittedSession, replaced: BaseProvider) -> None:
        self._fitted = fitted
        self.replaced = replaced

    def provide(self) -> str | None:
        """Return the session's own value, else the connection's, else the old."""
        settings = self._fitted.read()
        if settings is None:
            value: str | None = self.replaced.provide()
            return value
        return self._choose(settings)

    def _choose(self, settings: AwsSettings) -> str | None:
        raise NotImplementedError


class RegionDefault(VariableDefault):
    """Session's own region, the connection's, environment, profile, in this order."""

    def _choose(self, settings: AwsSettings) -> str | None:
        own = self._fitted.session.instance_variables().get("region")
        region: str | None = own or settings.client.region_name
        return region or self.replaced.provide()


class ProfileDefault(VariableDefault):
    """The connection's profile, else that of the environment if it exists.

    An unknown `AWS_PROFILE` does not break a connection that has an identity of
    its own.
    """

    def _choose(self, settings: AwsSettings) -> str | None:
        if settings.profile_name is not None:
            return settings.profile_name
        name: str | None = self.replaced.provide()
        known = (
            settings.starts_from_chain
            or name in self._fitted.session.available_profiles
        )
        return name if known else None
