"""botocore's chain with the connection's provider ahead of it.

Built under a lock: botocore's own lazy component is neither safe to ask for from
two threads nor re-entrant. The chain belongs to a bare twin of the session, which
sees none of the connection's endpoints, and is built only when somebody looks at
it or the connection's identity is that of the chain: to build it costs
milliseconds of every start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import botocore.credentials
import botocore.session
from botocore.credentials import CredentialResolver

from botocore_conn_provider.hosts.bare import create_base_session
from botocore_conn_provider.hosts.process_lock import ProcessLock

if TYPE_CHECKING:
    from botocore.credentials import Credentials

    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.hosts.fetchers import MakeBase
    from botocore_conn_provider.hosts.fitting import Fitting
    from botocore_conn_provider.hosts.providers import ConnectionProvider


class Plan(NamedTuple):
    """Where credentials come from: our provider, if any, before the chain."""

    ours: ConnectionProvider | None
    make_chain_session: MakeBase | None
    """Makes the chain's session; None for the user's own."""
    region_name: str | None


class FittedResolver(CredentialResolver):
    """The resolver of one fitted session, for one binding."""

    def __init__(self, fitting: Fitting) -> None:
        self._fitting = fitting
        self._lock = ProcessLock()
        self._plan: Plan | None = None
        self._providers: list[Any] | None = None

    def load_credentials(self) -> Credentials | None:
        """Load from our provider, which returns or raises; else from the chain."""
        if self._providers is None:
            ours = self._find_plan().ours
            if ours is not None:
                return ours.load()
        return super().load_credentials()

    @property
    def providers(self) -> list[Any]:  # type: ignore[override]
        """All providers in their order, ours first."""
        with self._lock:
            if self._providers is None:
                plan = self._find_plan()
                ours = [plan.ours] if plan.ours is not None else []
                self._providers = [*ours, *self._build_chain(plan)]
            return self._providers

    def _find_plan(self) -> Plan:
        with self._lock:
            if self._plan is None:
                self._plan = make_plan(self._fitting)
            return self._plan

    def _build_chain(self, plan: Plan) -> list[Any]:
        session: botocore.session.Session = self._fitting.session
        if plan.make_chain_session is not None:
            session = plan.make_chain_session()
        chain = botocore.credentials.create_credential_resolver(
            session, region_name=plan.region_name
        )
        return list(chain.providers)


def make_plan(fitting: Fitting) -> Plan:
    """Decide where the credentials of a fitted session come from. No network."""
    session = fitting.session
    region = session.get_config_variable("region") or fitting.client_region
    settings = fitting.read()
    if settings is None:
        return Plan(None, None, region)
    # Late: what follows is paid for by whoever signs requests.
    from botocore_conn_provider.hosts.providers import create_provider
    from botocore_conn_provider.keeper.fork import PerProcess

    # The keeper may outlive the session: what it holds must not hold that.
    data_loader = session.get_component("data_loader")
    make_base = PerProcess(
        lambda: create_base_session(
            settings, region_name=region, data_loader=data_loader
        )
    )
    ours = create_provider(settings, make_base, environ=fitting.binding.environ)
    _watch_rejections(session, settings)
    return Plan(ours, make_base, region)


def _watch_rejections(session: botocore.session.Session, settings: AwsSettings) -> None:
    """Have a service's rejection of a role's credentials reach their keeper."""
    if settings.role is None:
        return
    from botocore_conn_provider.hosts.rejection import register_rejection
    from botocore_conn_provider.keeper.registry import keepers

    register_rejection(session.get_component("event_emitter"), keepers.reject)
