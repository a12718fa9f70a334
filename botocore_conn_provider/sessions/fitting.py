"""Make one botocore session use one connection.

Everything is a default below what the code says itself: explicit region,
endpoint, verify, Config and keys win one by one, and an explicit profile switches
the connection off for that session. All of it is set on the session, not on the
class, so that a session keeps its connection when `uninstall()` restores the rest.

Which botocore member does what, and why not the obvious one, is in
`docs/decisions.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.fork import ProcessLock
from botocore_conn_provider.sessions.aio_detection import is_aio
from botocore_conn_provider.sessions.binding import FittedSession
from botocore_conn_provider.sessions.defaults import (
    put_client_defaults,
    put_session_defaults,
)
from botocore_conn_provider.sessions.resolver import FittedResolver

if TYPE_CHECKING:
    import botocore.session

    from botocore_conn_provider.sessions.binding import Binding

FITTED = "conn_provider_fitting"

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
    clients made from now on use the connection. Explicit keys stay.
    """
    with _fitting_lock:
        fitted = find_fitted(session)
        if fitted is None:
            fitted = FittedSession(session, binding)
            put_session_defaults(fitted)
            put_client_defaults(fitted)
        elif not again:
            return
        fitted.binding = binding
        session.register_component("credential_provider", create_resolver(fitted))
        _forget_chain_credentials(session)
        # Last: a thread that finds it takes the session for fitted without the lock.
        setattr(session, FITTED, fitted)


def create_resolver(fitted: FittedSession) -> FittedResolver:
    """Return the resolver for a session of botocore's or of aiobotocore's."""
    if is_aio(fitted.session):
        # Imported here because it imports aiobotocore, which this program has imported.
        from botocore_conn_provider.sessions.aio.aio_resolver import AioFittedResolver

        return AioFittedResolver(fitted)
    return FittedResolver(fitted)


def _forget_chain_credentials(session: botocore.session.Session) -> None:
    held = vars(session).get("_credentials")
    if held is not None and held.method != "explicit":
        setattr(session, "_credentials", None)  # noqa: B010 - private: no public way exists
