"""The chain of a fitted session: the connection's provider, then botocore's own.

Built under a lock: botocore's own lazy component is neither safe to ask for from
two threads nor re-entrant. Everything that the connection starts from is resolved
from one view of the session, taken at first use; the chain lives on a session of its
own, which sees none of the connection's endpoints, and is built only when it is looked
at or when the connection's identity is that of the chain: building it costs
milliseconds of every start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import botocore.credentials
import botocore.session
from botocore.credentials import CredentialResolver

from botocore_conn_provider.exchange.base_session import (
    create_base_session,
    view_session,
)
from botocore_conn_provider.fork import ProcessLock

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.exchange.session_view import SessionView
    from botocore_conn_provider.sessions.binding import FittedSession
    from botocore_conn_provider.sessions.providers import ConnectionProvider


class Applied(NamedTuple):
    """A connection that applies to a session, and what is made of it.

    `ours` is its provider; None where the identity is that of botocore's chain.
    """

    settings: AwsSettings
    view: SessionView
    ours: ConnectionProvider | None


class FittedResolver(CredentialResolver):
    """The resolver of one fitted session, for one binding."""

    def __init__(self, fitted: FittedSession) -> None:
        self._fitted = fitted
        self._lock = ProcessLock()
        self._plan: tuple[Applied | None] | None = None
        self._providers: list[Any] | None = None

    def load_credentials(self) -> Any:
        """Load from our provider, which returns or raises; else from the chain."""
        applied = self.find_applied()
        if applied is not None and applied.ours and self._providers is None:
            return applied.ours.load()
        return super().load_credentials()

    @property
    def providers(self) -> list[Any]:  # type: ignore[override]
        """All providers in their order, ours first."""
        with self._lock:
            if self._providers is None:
                self._providers = self._build(self.find_applied())
            return self._providers

    def find_applied(self) -> Applied | None:
        """Return the connection as it applies, resolved at first use. No network.

        None where it does not apply: the session has its own chain then.
        """
        with self._lock:
            if self._plan is None:
                self._plan = (self._apply(),)
            return self._plan[0]

    def _apply(self) -> Applied | None:
        """Resolve what the session's connection starts from. No network."""
        settings = self._fitted.read()
        if settings is None:
            return None
        # Imported here: sessions that sign no request do not load it.
        from botocore_conn_provider.sessions.providers import create_provider

        view = self._take_view()
        ours = create_provider(settings, view, remake=self._fitted.binding.remake)
        _watch_rejections(self._fitted.session, settings)
        return Applied(settings, view, ours)

    def _build(self, applied: Applied | None) -> list[Any]:
        if applied is None:
            session = self._fitted.session
            region_name = session.get_config_variable("region")
            return self._list_own(session, region_name or self._fitted.client_region)
        base = create_base_session(applied.settings, applied.view)
        chain = base.get_component("credential_provider").providers
        ours = [] if applied.ours is None else [applied.ours]
        return self._adapt([*ours, *chain])

    # aiobotocore's resolver does these three in its own way.
    def _take_view(self) -> SessionView:
        """Return what was said on the session until now."""
        fitted = self._fitted
        return view_session(
            fitted.session, fitted.binding.snapshot, region_name=fitted.client_region
        )

    def _list_own(
        self, session: botocore.session.Session, region_name: str | None
    ) -> list[Any]:
        """Return the providers of the session's own chain, as without us."""
        chain = botocore.credentials.create_credential_resolver(
            session, region_name=region_name
        )
        return list(chain.providers)

    def _adapt(self, providers: list[Any]) -> list[Any]:
        """Return the providers as the host wants them."""
        return providers


def _watch_rejections(session: botocore.session.Session, settings: AwsSettings) -> None:
    """Have a service's rejection of a role's credentials reach their keeper."""
    if settings.role is None:
        return
    from botocore_conn_provider.renewal.registry import keepers
    from botocore_conn_provider.sessions.rejection import register_rejection

    register_rejection(session.get_component("event_emitter"), keepers.reject)
