"""The chain of a fitted session: the connection's provider, then the host's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.credentials import CredentialResolver

from botocore_conn_provider.hosts.aio_presence import is_aio
from botocore_conn_provider.hosts.bare import BareSession, create_base_session
from botocore_conn_provider.hosts.process_lock import ProcessLock

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.hosts.fetchers import MakeBase
    from botocore_conn_provider.hosts.fitting import Fitting
    from botocore_conn_provider.hosts.providers import ConnectionProvider


def create_resolver(fitting: Fitting) -> FittedResolver:
    """Return the resolver for a session of botocore's or of aiobotocore's."""
    if is_aio(fitting.session):
        # Late: aiobotocore is imported where the program has imported it only.
        from botocore_conn_provider.hosts.aio_resolver import AioFittedResolver

        return AioFittedResolver(fitting)
    return FittedResolver(fitting)


class FittedResolver(CredentialResolver):
    """botocore's chain with the connection's provider ahead of it.

    Built at first use and under a lock: botocore's own lazy component is neither
    safe to ask for from two threads nor re-entrant. The chain belongs to a bare
    twin of the session, which sees none of the connection's endpoints.
    """

    bare_kind: type[BareSession] = BareSession

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
            return list(self.bare_kind.create_chain(session, region).providers)

        # The keeper may outlive the session: what it holds must not hold that.
        data_loader = session.get_component("data_loader")
        # Making one costs milliseconds: chain and exchange share it.
        make_base = PerProcess(
            lambda: create_base_session(
                settings, region_name=region, data_loader=data_loader, kind=BareSession
            )
        )
        ours = create_provider(settings, make_base, environ=fitting.binding.environ)
        if settings.role is not None:
            register_rejection(session.get_component("event_emitter"), keepers.reject)
        bare = self._chain_session(settings, make_base)
        chain = self.bare_kind.create_chain(bare, region).providers
        return [*self._adapt(ours, bare), *chain]

    # The twin needs what is not used in these two.
    def _chain_session(
        self,
        settings: AwsSettings,  # noqa: ARG002
        make_base: MakeBase,
    ) -> BareSession:
        """Return the bare session whose chain stands behind our provider."""
        return make_base()

    def _adapt(
        self,
        ours: ConnectionProvider | None,
        bare: BareSession,  # noqa: ARG002
    ) -> list[Any]:
        """Return our provider, if there is one, as the host wants it."""
        return [ours] if ours is not None else []
