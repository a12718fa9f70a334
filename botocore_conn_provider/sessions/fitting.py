"""Make one botocore session use one connection.

Everything is a default below what the code says itself: explicit region,
endpoint, verify, Config and keys win one by one, and an explicit profile switches
the connection off for that session. All of it is set on the session, not on the
class, so that a session keeps its connection when `uninstall()` restores the rest.

Sessions that were made before `install()` are reached by wrapped methods of their class.
Pickled credentials are made again here, too: a pickle crosses to another process or
machine, where they come from the connection in the environment there.

Which botocore member does what, and why not the obvious one, is in
`docs/decisions.md`.
"""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any

import botocore.session

from botocore_conn_provider.connection.environment import (
    Snapshot,
    find_former,
    is_disabled,
)
from botocore_conn_provider.exchange.session_view import UNFITTED
from botocore_conn_provider.fork import ProcessLock
from botocore_conn_provider.sessions.bearer import ignore_bearer_tokens
from botocore_conn_provider.sessions.binding import (
    Binding,
    FittedSession,
    Remake,
    say_once,
)
from botocore_conn_provider.sessions.client_creation import (
    find_aio_session_class,
    is_aio,
    put_client_defaults,
)
from botocore_conn_provider.sessions.defaults import put_session_defaults
from botocore_conn_provider.sessions.given import (
    COMPONENT,
    Inserted,
    has_own_chain,
    holds_given_credentials,
    read_inserted,
)
from botocore_conn_provider.sessions.resolver import FittedResolver

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.credentials import Credentials

    Fit = Callable[[botocore.session.Session], None]

FITTED = "conn_provider_fitting"
# What reaches the credentials, of a session that was made before `install()`.
WRAPPED = ("create_client", "get_credentials")

# Threads that meet on a session older than install() fit it once.
_fitting_lock = ProcessLock()


def find_fitted(session: botocore.session.Session) -> FittedSession | None:
    """Return a session's connection, None if it has none."""
    return vars(session).get(FITTED)


def fit(
    session: botocore.session.Session, binding: Binding, *, again: bool = True
) -> None:
    """Bind `session` to a connection; `again` binds a bound one to another.

    Credentials that the session already took from botocore's chain are let go:
    clients made from now on use the connection. What the program gave it stays.
    """
    with _fitting_lock.own:
        fitted = find_fitted(session)
        if fitted is not None and not again:
            return
        if fitted is None:
            fitted = FittedSession(session, binding)
            put_session_defaults(fitted)
            put_client_defaults(fitted)
            ignore_bearer_tokens(fitted)
        fitted.binding = binding
        _put_resolver(fitted)
        # Last: a thread that finds it takes the session for fitted without the lock.
        setattr(session, FITTED, fitted)


def _put_resolver(fitted: FittedSession) -> None:
    session = fitted.session
    before = find_resolver(session)
    if before is None and has_own_chain(session):
        return
    if before is None:
        inserted = read_inserted(session)
        given = holds_given_credentials(session)
    else:
        inserted = before.inserted
        given = vars(session).get("_credentials") is not before.found
    session.register_component(COMPONENT, create_resolver(fitted, inserted))
    if not given:
        setattr(session, "_credentials", None)  # noqa: B010 - private: no public way exists


def find_resolver(session: botocore.session.Session) -> FittedResolver | None:
    """Return the resolver of a fitted session; None where the program's own is there."""
    if find_fitted(session) is None:
        return None
    resolver = session.get_component(COMPONENT)
    return resolver if isinstance(resolver, FittedResolver) else None


def create_resolver(fitted: FittedSession, inserted: Inserted) -> FittedResolver:
    """Return the resolver for a session of botocore's or of aiobotocore's."""
    if is_aio(fitted.session):
        # Imported here because it imports aiobotocore, which this program has imported.
        from botocore_conn_provider.sessions.aio.aio_resolver import AioFittedResolver

        return AioFittedResolver(fitted, inserted)
    return FittedResolver(fitted, inserted)


def create_bound_session(
    conn_id: str | None, kind: type[botocore.session.Session] = botocore.session.Session
) -> botocore.session.Session:
    """Return a new session of that class that uses the connection, read at once.

    Raises:
        ConnectionNotFoundError: The connection is not in the environment.
        InvalidConnectionError: It is wrong.
    """
    session = kind()
    snapshot = Snapshot.take()
    if is_disabled(snapshot.environ):
        say_once(
            logging.WARNING,
            "BOTOCORE_CONN_DISABLE is set: botocore's own chain is used.",
        )
        if find_former() is None:
            return session
    binding = Binding(snapshot, conn_id, remake=REMAKE)
    fit(session, binding)
    binding.read(session)
    return session


def bind_session(
    session: botocore.session.Session,
    snapshot: Snapshot,
    conn_id: str | None,
    *,
    again: bool,
) -> None:
    """Fit the program's session to the connection; `again` replaces another one."""
    if not hasattr(session, UNFITTED):
        fit(session, Binding(snapshot, conn_id, remake=REMAKE), again=again)


def remake_credentials(conn_id: str) -> Credentials | None:
    """Return the credentials of a connection, from this process's environment.

    Raises:
        InvalidConnectionError: The connection is wrong here.
        ConnectionNotFoundError: It is not here.
    """
    return create_bound_session(conn_id).get_credentials()


def remake_aio_credentials(conn_id: str) -> Any:
    """Do the same for aiobotocore's kind.

    Raises:
        InvalidConnectionError: The connection is wrong here.
        ConnectionNotFoundError: It is not here.
    """
    from aiobotocore.session import AioSession

    session = create_bound_session(conn_id, AioSession)
    return session.get_component("credential_provider").providers[0].load_now()


REMAKE = Remake(remake_credentials, remake_aio_credentials)


class WrappedMethods:
    """The methods of botocore's session, and of aiobotocore's if it is there, wrapped.

    They fit the sessions that were made before `install()` on the way: no initializer was
    called for those.

    Args:
        reach: Fits a session to the installed connection, if one is installed.
    """

    def __init__(self, reach: Fit) -> None:
        self._replaced: list[tuple[type, str, Any, Any]] = []
        # A class that is imported later has no session older than this.
        aio = find_aio_session_class()
        host = botocore.session.Session
        for kind in (host,) if aio is None else (host, aio):
            for name in WRAPPED:
                original = vars(kind)[name]
                ours = _fit_first(name, original, reach)
                self._replaced.append((kind, name, original, ours))
                setattr(kind, name, ours)

    def restore(self) -> None:
        """Put the originals back, unless somebody wrapped ours meanwhile."""
        for kind, name, original, ours in self._replaced:
            if vars(kind)[name] is ours:
                setattr(kind, name, original)


def _fit_first(name: str, original: Any, reach: Fit) -> Any:
    """Wrap a method of `Session` so that an older session is fitted first."""

    @functools.wraps(original)
    def method(self: botocore.session.Session, *args: Any, **kwargs: Any) -> Any:
        try:
            if find_fitted(self) is None:
                reach(self)
                if find_fitted(self) is not None:
                    return getattr(self, name)(*args, **kwargs)
            return original(self, *args, **kwargs)
        finally:
            del args, kwargs  # keys, maybe, and a traceback shows this frame

    return method
