"""The chain of a fitted session: the connection's provider, then botocore's own.

Built under a lock: botocore's own lazy component is neither safe to ask for from
two threads nor re-entrant. Everything that the connection starts from is resolved
from one view of the session, taken at first use; the chain lives on a session of its
own, which sees none of the connection's endpoints, and is built only when it is looked
at or when the connection's identity is that of the chain: building it costs
milliseconds of every start.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import botocore.credentials
import botocore.session
from botocore.credentials import CredentialResolver

from botocore_conn_provider.connection.environment import find_former
from botocore_conn_provider.errors import InvalidConnectionError
from botocore_conn_provider.exchange.session_reading import view_session
from botocore_conn_provider.fork import ProcessLock
from botocore_conn_provider.sessions.bearer import release_session
from botocore_conn_provider.sessions.given import Inserted
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.exchange.session_view import SessionView
    from botocore_conn_provider.sessions.binding import FittedSession
    from botocore_conn_provider.sessions.providers import ConnectionProvider


AS_BOTOCORE_MAKES_IT = Inserted()
# The METHODs of our providers, and of no others.
OUR_METHODS = "conn-"


class Applied(Value):
    """A connection that applies to a session, and what is made of it.

    `ours` is its provider; None where the identity is that of botocore's chain.
    """

    settings: AwsSettings
    view: SessionView
    ours: ConnectionProvider | None


class FittedResolver(CredentialResolver):
    """The resolver of one fitted session, for one binding.

    Args:
        fitted: The session.
        inserted: How the program had changed the session's chain before.

    Attributes:
        found: The credentials that were loaded last, None before.
    """

    def __init__(
        self, fitted: FittedSession, inserted: Inserted = AS_BOTOCORE_MAKES_IT
    ) -> None:
        self.found: Any = None
        self._inserted = inserted
        self._fitted = fitted
        self._lock = ProcessLock()
        self._plan: tuple[Applied | None] | None = None
        self._providers: list[Any] | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> FittedResolver:
        """Copy for a copied session, which is who the original is."""
        copied = memo[id(self)] = type(self).__new__(type(self))
        vars(copied).update(
            vars(self),
            _fitted=copy.deepcopy(self._fitted, memo),
            _lock=ProcessLock(),
            _providers=self._providers and list(self._providers),
            # Copied already with the session, if that still holds them.
            found=memo.get(id(self.found)),
        )
        return copied

    def load_credentials(self) -> Any:
        """Load from our provider, which returns or raises; else from the chain."""
        ours = self._find_only_provider()
        self.found = super().load_credentials() if ours is None else ours.load()
        return self.found

    def _find_only_provider(self) -> ConnectionProvider | None:
        """Return our provider where nothing else can have credentials to load.

        No list of providers is built then.
        """
        applied = self.find_applied()
        changed = self._providers is not None or self._inserted.ahead
        return None if applied is None or changed else applied.ours

    @property
    def inserted(self) -> Inserted:
        """How the program has changed the session's chain until now."""
        if self._providers is None:
            return self._inserted
        chain = tuple(each for each in self._providers if not _is_ours(each))
        return self._inserted._replace(chain=chain)

    def insert_before(self, name: str, credential_provider: Any) -> None:
        """Insert a provider of the program's; ahead of ours, which always loads."""
        super().insert_before(name, credential_provider)
        self._put_given_ahead()

    def insert_after(self, name: str, credential_provider: Any) -> None:
        """Insert a provider of the program's; ahead of ours unless it is the last."""
        super().insert_after(name, credential_provider)
        self._put_given_ahead()

    def _put_given_ahead(self) -> None:
        providers = self.providers
        ours = [each for each in providers if _is_ours(each)]
        if ours:
            ahead = self.inserted.ahead
            others = [each for each in providers if each not in (*ahead, *ours)]
            providers[:] = [*ahead, *ours, *others]

    @property
    def providers(self) -> list[Any]:  # type: ignore[override]
        """All providers in their order, ours first."""
        with self._lock.own:
            if self._providers is None:
                try:
                    self._providers = self._build(self.find_applied())
                except InvalidConnectionError:
                    self._providers = self._build_refused()
            return self._providers

    def find_applied(self) -> Applied | None:
        """Return the connection as it applies, resolved at first use. No network.

        None where it does not apply: the session has its own chain then.
        """
        # Before the lock: reading logs notices, and a log handler may make a client.
        self._fitted.read()
        with self._lock.own:
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
        if settings.client.region_name:  # no other is looked for
            view = view._replace(region_name=None)
        if view.events is not None:
            release_session(view.events)
        ours = create_provider(settings, view, remake=self._fitted.binding.remake)
        if ours is not None and hasattr(ours, "defer_keeper"):
            _watch_clients(self._fitted.session)
        return Applied(settings, view, ours)

    def _build(self, applied: Applied | None) -> list[Any]:
        if applied is None:
            return self._inserted.arrange(self._inserted.own or self._make_own())
        # Imported here: a start from the store makes no base session.
        from botocore_conn_provider.exchange.base_session import create_base_session

        base = create_base_session(applied.settings, applied.view)
        chain = base.get_component("credential_provider").providers
        arranged = self._inserted.arrange(self._adapt(chain))
        if applied.ours is None:
            return arranged
        ahead = self._inserted.ahead
        behind = [each for each in arranged if each not in ahead]
        return [*ahead, *self._adapt([applied.ours]), *behind]

    def _build_refused(self) -> list[Any]:
        """List the session's own chain behind a provider that refuses to load.

        Tools look at the chain before they know what they are asked for: the AWS CLI
        does so for `aws help`.
        """
        ahead = self._inserted.ahead
        chain = self._inserted.arrange(self._inserted.own or self._make_own())
        behind = [each for each in chain if each not in ahead]
        return [*ahead, *self._adapt([RefusedProvider(self)]), *behind]

    def _make_own(self) -> list[Any]:
        """Return the session's own chain, which never ends at our own endpoint."""
        session = self._fitted.session
        if find_former() is not None:
            return self._make_former()
        region_name = session.get_config_variable("region")
        return self._list_own(session, region_name or self._fitted.client_region)

    def _make_former(self) -> list[Any]:
        """Return the chain as it was before the environment was changed for engines."""
        # Imported here: few processes reach other engines.
        from botocore_conn_provider.connection.settings import AwsSettings
        from botocore_conn_provider.exchange.base_session import create_base_session

        settings = AwsSettings(self._fitted.binding.name.conn_id)
        base = create_base_session(settings, self._take_view())
        return self._adapt(base.get_component("credential_provider").providers)

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


class RefusedProvider:
    """Stands for a connection that is wrong or missing. Loading raises what is wrong."""

    METHOD = CANONICAL_NAME = f"{OUR_METHODS}refused"

    def __init__(self, resolver: FittedResolver) -> None:
        self._resolver = resolver

    def load(self) -> Any:
        """Load as the connection's provider does, if the connection is right by now.

        Raises:
            InvalidConnectionError: It is still wrong.
        """
        applied = self._resolver.find_applied()
        ours = None if applied is None else applied.ours
        return None if ours is None else ours.load()


def _is_ours(provider: Any) -> bool:
    return str(provider.METHOD).startswith(OUR_METHODS)


def _watch_clients(session: botocore.session.Session) -> None:
    """Have rejections of credentials, and wishes for them to last, reach their keeper."""
    from botocore_conn_provider.renewal.registry import keepers
    from botocore_conn_provider.sessions.presigners import register_presigners
    from botocore_conn_provider.sessions.rejection import register_rejection

    events = session.get_component("event_emitter")
    register_rejection(events, keepers.reject)
    register_presigners(events)
