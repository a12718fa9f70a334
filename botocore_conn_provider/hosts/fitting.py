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
import botocore.credentials
import botocore.session
from botocore.configprovider import BaseProvider
from botocore.credentials import CredentialResolver

from botocore_conn_provider.hosts.bare import create_base_session
from botocore_conn_provider.hosts.process_lock import ProcessLock

if TYPE_CHECKING:
    from collections.abc import Callable

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
        session.register_component("credential_provider", FittedResolver(fitting))
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
        named = _name_arguments(self._create_client, (service_name, *args))
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
    for above in (session.get_default_client_config(), given.get("config")):
        if above is not None:
            config = config.merge(above)
    given["config"] = config
    if given.get("endpoint_url") is None:
        given["endpoint_url"] = settings.client.find_endpoint(given["service_name"])
    if given.get("verify") is None:
        given["verify"] = settings.client.verify


def _name_arguments(
    function: Callable[..., Any], args: tuple[Any, ...]
) -> dict[str, Any]:
    return dict(zip(_argument_names(function), args, strict=False)) if args else {}


@lru_cache(maxsize=8)
def _argument_names(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


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
            settings.keys is None or name in self._fitting.session.available_profiles
        )
        return name if known else None


class FittedResolver(CredentialResolver):
    """botocore's chain with the connection's provider ahead of it.

    Built at first use and under a lock: botocore's own lazy component is neither
    safe to ask for from two threads nor re-entrant. The chain belongs to a bare
    twin of the session, which sees none of the connection's endpoints.
    """

    def __init__(self, fitting: Fitting) -> None:
        self._fitting = fitting
        self._lock = ProcessLock()
        self._providers: list[Any] | None = None

    @property
    def providers(self) -> list[Any]:  # type: ignore[override]
        """The providers in their order, ours first."""
        with self._lock:
            if self._providers is None:
                self._providers = self._build()
            return self._providers

    def _build(self) -> list[Any]:
        # Late: what follows is paid for by whoever signs requests.
        from botocore_conn_provider.hosts.providers import create_provider
        from botocore_conn_provider.hosts.rejection import register_rejection
        from botocore_conn_provider.keeper.fork import PerProcess
        from botocore_conn_provider.keeper.registry import keepers

        fitting = self._fitting
        session = fitting.session
        region = session.get_config_variable("region") or fitting.client_region
        settings = fitting.read()
        if settings is None:
            chain = botocore.credentials.create_credential_resolver(
                session, region_name=region
            )
            return list(chain.providers)

        # The keeper may outlive the session: what it holds must not hold that.
        data_loader = session.get_component("data_loader")
        # Making one costs milliseconds: chain and exchange share it.
        make_base = PerProcess(
            lambda: create_base_session(
                settings, region_name=region, data_loader=data_loader
            )
        )
        chain = botocore.credentials.create_credential_resolver(
            make_base(), region_name=region
        )
        ours = create_provider(settings, make_base, environ=fitting.binding.environ)
        if settings.role is not None:
            register_rejection(session.get_component("event_emitter"), keepers.reject)
        return [*([ours] if ours is not None else []), *chain.providers]
