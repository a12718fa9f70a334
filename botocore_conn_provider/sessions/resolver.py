"""The chain of a fitted session: the connection's provider, then the host's own.

Built under a lock: botocore's own lazy component is neither safe to ask for from
two threads nor re-entrant. The chain belongs to a bare twin of the session, which
sees none of the connection's endpoints, and is built only when somebody looks at
it or the connection's identity is that of the chain: to build it costs
milliseconds of every start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.credentials import CredentialResolver

from botocore_conn_provider.exchange.base_session import (
    UnfittedSession,
    create_base_session,
)
from botocore_conn_provider.fork import ProcessLock

if TYPE_CHECKING:
    import botocore.session

    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.exchange.flows import MakeBase
    from botocore_conn_provider.sessions.binding import FittedSession
    from botocore_conn_provider.sessions.providers import ConnectionProvider


class Applied(NamedTuple):
    """A connection that applies to a session, and what is made of it."""

    settings: AwsSettings
    ours: ConnectionProvider | None
    make_base: MakeBase


class Plan(NamedTuple):
    """Where credentials come from. Without `applied`: the session's own chain."""

    region_name: str | None
    applied: Applied | None = None

    @property
    def ours(self) -> ConnectionProvider | None:
        """Our provider; None where the identity is that of a chain."""
        return None if self.applied is None else self.applied.ours


class FittedResolver(CredentialResolver):
    """The resolver of one fitted session, for one binding."""

    bare_kind: type[UnfittedSession] = UnfittedSession

    def __init__(self, fitted: FittedSession) -> None:
        self._fitted = fitted
        self._lock = ProcessLock()
        self._plan: Plan | None = None
        self._providers: list[Any] | None = None

    def load_credentials(self) -> Any:
        """Load from our provider, which returns or raises; else from the chain."""
        ours = self.find_plan().ours
        if ours is not None and self._providers is None:
            return ours.load()
        return super().load_credentials()

    @property
    def providers(self) -> list[Any]:  # type: ignore[override]
        """All providers in their order, ours first."""
        with self._lock:
            if self._providers is None:
                self._providers = self._build(self.find_plan())
            return self._providers

    def find_plan(self) -> Plan:
        """Return the plan, made at first use. No network."""
        with self._lock:
            if self._plan is None:
                self._plan = make_plan(self._fitted)
            return self._plan

    def _build(self, plan: Plan) -> list[Any]:
        if plan.applied is None:
            own = self.bare_kind.create_chain(self._fitted.session, plan.region_name)
            return list(own.providers)
        bare = self._make_chain_session(plan.applied)
        chain = self.bare_kind.create_chain(bare, plan.region_name).providers
        return [*self._adapt(plan.applied.ours, bare), *chain]

    # The twin does these two in its own way.
    def _make_chain_session(self, applied: Applied) -> UnfittedSession:
        """Return the bare session whose chain stands behind our provider."""
        return applied.make_base()

    def _adapt(
        self,
        ours: ConnectionProvider | None,
        bare: UnfittedSession,  # noqa: ARG002
    ) -> list[Any]:
        """Return our provider, if there is one, as the host wants it."""
        return [ours] if ours is not None else []


def make_plan(fitted: FittedSession) -> Plan:
    """Decide where the credentials of a fitted session come from. No network."""
    session = fitted.session
    region = session.get_config_variable("region") or fitted.client_region
    settings = fitted.read()
    if settings is None:
        return Plan(region)
    # Late: what follows is paid for by whoever signs requests.
    from botocore_conn_provider.fork import PerProcess
    from botocore_conn_provider.sessions.providers import create_provider

    # The keeper may outlive the session: what it holds must not hold that.
    data_loader = session.get_component("data_loader")
    # Making one costs milliseconds: chain and exchange share it.
    make_base = PerProcess(
        lambda: create_base_session(
            settings, region_name=region, data_loader=data_loader, kind=UnfittedSession
        )
    )
    ours = create_provider(settings, make_base, binding=fitted.binding)
    _watch_rejections(session, settings)
    return Plan(region, Applied(settings, ours, make_base))


def _watch_rejections(session: botocore.session.Session, settings: AwsSettings) -> None:
    """Have a service's rejection of a role's credentials reach their keeper."""
    if settings.role is None:
        return
    from botocore_conn_provider.renewal.registry import keepers
    from botocore_conn_provider.sessions.rejection import register_rejection

    register_rejection(session.get_component("event_emitter"), keepers.reject)
