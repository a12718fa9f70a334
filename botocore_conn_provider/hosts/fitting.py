"""Make one botocore session use one connection.

Everything is a default below what the code says itself: explicit region,
endpoint, verify, Config and keys win one by one, and an explicit profile switches
the connection off for that session. All of it is set on the session, not on the
class, so that a session keeps its connection when `uninstall()` restores the rest.

Which botocore member does what, and why not the obvious one, is in
`docs/decisions.md`.
"""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import botocore.client
import botocore.session
from botocore.configprovider import BaseProvider

from botocore_conn_provider.hosts.aio_presence import is_aio
from botocore_conn_provider.hosts.process_lock import ProcessLock
from botocore_conn_provider.hosts.resolver import create_resolver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from botocore.config import Config

    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.hosts.binding import Binding

FITTING = "conn_provider_fitting"

# Around fitting: threads that meet on a session older than install() fit it once.
_fitting_lock = ProcessLock()


def find_fitting(session: botocore.session.Session) -> Fitting | None:
    """Return the fitting of a session, None if it has none."""
    return vars(session).get(FITTING)


def fit(
    session: botocore.session.Session, binding: Binding, *, again: bool = True
) -> None:
    """Bind `session` to a connection; `again` binds a bound one to another.

    Credentials that the session already took from botocore's chain are let go:
    clients made from now on use the connection. Explicit keys stay.
    """
    with _fitting_lock:
        fitting = find_fitting(session)
        if fitting is None:
            fitting = Fitting(session, binding)
            fitting.put_defaults()
        elif not again:
            return
        fitting.binding = binding
        session.register_component("credential_provider", create_resolver(fitting))
        _forget_chain_credentials(session)
        # Last: who sees it takes the session for fitted, and asks no lock.
        setattr(session, FITTING, fitting)


def _forget_chain_credentials(session: botocore.session.Session) -> None:
    held = vars(session).get("_credentials")
    if held is not None and held.method != "explicit":
        setattr(session, "_credentials", None)  # noqa: B010 - private: no public way exists


class Fitting:
    """What stands between one session and its connection.

    `client_region` is the region of the last client that was asked for, which
    botocore's chain falls back on for its own STS calls.
    """

    def __init__(self, session: botocore.session.Session, binding: Binding) -> None:
        self.session = session
        self.binding = binding
        self.client_region: str | None = None
        self._create_client = session.create_client
        # botocore's sessions are not safe to make clients on from many threads
        # at once (boto/boto3#1592): one at a time for each session.
        self._creating = ProcessLock()

    def read(self) -> AwsSettings | None:
        """Return the connection's meaning; None where it does not apply."""
        if self.session.instance_variables().get("profile") is not None:
            return None
        return self.binding.read(self.session)

    def put_defaults(self) -> None:
        """Set the session's own providers and its `create_client`."""
        store = self.session.get_component("config_store")
        for name, kind in (("region", RegionDefault), ("profile", ProfileDefault)):
            replaced = store.get_config_provider(name)
            store.set_config_provider(name, kind(self, replaced))
        setattr(self.session, "create_client", self.create_client)  # noqa: B010 - mypy

    def create_client(
        self, service_name: str, *args: Any, **kwargs: Any
    ) -> botocore.client.BaseClient:
        """Create a client with the connection's defaults where the caller has none."""
        named = _name_arguments((service_name, *args))
        given = {**named, **kwargs}
        with self._creating:
            settings = self.read()
            if settings is not None:
                fill_client_arguments(given, settings, self.session)
            config = given.get("config")
            asked = given.get("region_name") or getattr(config, "region_name", None)
            self.client_region = asked or self.client_region
            return self._create_client(**given)


def fill_client_arguments(
    given: dict[str, Any], settings: AwsSettings, session: botocore.session.Session
) -> None:
    """Fill what the caller left None: Config beneath the caller's, endpoint, verify."""
    from botocore_conn_provider.hosts.judge import build_config

    config = build_config(settings.client.config)
    callers = [session.get_default_client_config(), given.get("config")]
    if is_aio(session):
        from botocore_conn_provider.hosts.aio_config import merge_all  # imports it
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


class FittedDefault(BaseProvider):
    """A session variable that the connection gives a default for."""

    def __init__(self, fitting: Fitting, replaced: BaseProvider) -> None:
        self._fitting = fitting
        self._replaced = replaced

    def provide(self) -> str | None:
        """Return the session's own value, else the connection's, else the old."""
        settings = self._fitting.read()
        if settings is None:
            value: str | None = self._replaced.provide()
            return value
        return self._choose(settings)

    def _choose(self, settings: AwsSettings) -> str | None:
        raise NotImplementedError


class RegionDefault(FittedDefault):
    """Session's own region, the connection's, environment, profile, in this order."""

    def _choose(self, settings: AwsSettings) -> str | None:
        own = self._fitting.session.instance_variables().get("region")
        region: str | None = own or settings.client.region_name
        return region or self._replaced.provide()


class ProfileDefault(FittedDefault):
    """The connection's profile, else that of the environment if it exists.

    An unknown `AWS_PROFILE` does not break a connection that has an identity of
    its own.
    """

    def _choose(self, settings: AwsSettings) -> str | None:
        if settings.profile_name is not None:
            return settings.profile_name
        name: str | None = self._replaced.provide()
        known = (
            settings.starts_from_chain
            or name in self._fitting.session.available_profiles
        )
        return name if known else None
