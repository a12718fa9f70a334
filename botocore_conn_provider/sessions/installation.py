"""Reach every session: install, uninstall, and a session of one's own.

New sessions are reached through `botocore.register_initializer`, which is public
and called at the birth of each. Sessions that are older than `install()` have no
such moment: `create_client` and `get_credentials` of the class fit them on the
way. boto3's default session is fitted at once.

Thread safety: one lock is held while installing. The state that it changes is read
without the lock, because it is a single reference.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from typing import TYPE_CHECKING, Any

import botocore
import botocore.session

from botocore_conn_provider.connection.environment import (
    Snapshot,
    is_disabled,
    name_connection,
)
from botocore_conn_provider.exchange.base_session import UnfittedSession
from botocore_conn_provider.fork import ProcessLock
from botocore_conn_provider.sessions.aio_detection import find_aio_session_class
from botocore_conn_provider.sessions.binding import Binding
from botocore_conn_provider.sessions.bound import REMAKE, create_bound_session
from botocore_conn_provider.sessions.fitting import find_fitted, fit
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    import boto3.session

Session = botocore.session.Session
WRAPPED = ("create_client", "get_credentials")


class Installation:
    """The hooks in botocore, and in aiobotocore if it is there, while they are there."""

    def __init__(self, conn_id: str | None) -> None:
        self.conn_id = conn_id
        self._replaced: list[tuple[type, str, Any, Any]] = []

    def put(self) -> None:
        """Put the hooks in."""
        botocore.register_initializer(fit_new_session)
        # A class that is imported later has no session older than this.
        aio = find_aio_session_class()
        for kind in (Session,) if aio is None else (Session, aio):
            for name in WRAPPED:
                original = vars(kind)[name]
                ours = _fit_first(name, original)
                self._replaced.append((kind, name, original, ours))
                setattr(kind, name, ours)

    def remove(self) -> None:
        """Take the hooks out, unless somebody wrapped them meanwhile."""
        # Not there: somebody reloaded botocore, which then forgets them.
        with contextlib.suppress(ValueError):
            botocore.unregister_initializer(fit_new_session)
        for kind, name, original, ours in self._replaced:
            if vars(kind)[name] is ours:
                setattr(kind, name, original)


_lock = ProcessLock()
_installed: Installation | None = None
_program_decided = False


@scrubbed
def install(conn_id: str | None = None) -> None:
    """Make each boto3, botocore and aiobotocore session of the process use a connection.

    Calling it again has no effect, except with another `conn_id`, which then counts
    for new sessions and for boto3's default session. It reads nothing and raises
    nothing about the environment: the first session or client that needs the
    connection does.

    Args:
        conn_id: The connection, which must then exist. None for the one that
            `BOTOCORE_CONN_ID` names, which must exist too, else `aws_default`,
            which may be absent.

    Raises:
        InvalidConnectionError: `conn_id` is no id; it has letters, digits, `_`, `.`
            and `-`.

    Example:
        import boto3
        import botocore_conn_provider

        botocore_conn_provider.install()
        boto3.client("s3").list_buckets()
    """
    global _installed, _program_decided  # noqa: PLW0603 - one for each process
    _refuse_wrong_id(conn_id)
    with _lock:
        if _installed is None:
            installation = Installation(conn_id)
            installation.put()
            # Afterwards: a child that is forked meanwhile must find nothing half done.
            _installed, _program_decided = installation, True
        elif _installed.conn_id == conn_id:
            _program_decided = True
            return
        _installed.conn_id, _program_decided = conn_id, True
        _fit_default_session()


def _refuse_wrong_id(conn_id: str | None) -> None:
    """Refuse at once what the program said, which is none of the environment."""
    name = name_connection({}, conn_id)
    if name.is_wrong:
        # Imported here because the parser comes with it.
        from botocore_conn_provider.connection.record import not_found

        raise not_found(name)


def install_at_start() -> None:
    """Install for start-up activation, unless the program said otherwise itself."""
    with _lock:
        if not _program_decided:
            install()


def fit_at_start(new: Session) -> None:
    """Install at the birth of a process's first session, and fit that session."""
    install_at_start()
    fit_new_session(new)


def uninstall() -> None:
    """Restore botocore; calling it again has no effect.

    Sessions that have a connection keep it. Start-up activation does not install
    again in this process.
    """
    global _installed, _program_decided  # noqa: PLW0603 - one for each process
    with _lock:
        _program_decided = True
        installation, _installed = _installed, None
        if installation is not None:
            installation.remove()


@scrubbed
def session(conn_id: str) -> boto3.session.Session:
    """Return a boto3 Session that uses one connection; nothing is installed.

    One program can use several. Under `BOTOCORE_CONN_DISABLE` the session has
    botocore's own credentials instead, and a WARNING says so.

    Args:
        conn_id: The connection, in `AIRFLOW_CONN_<CONN_ID>`.

    Raises:
        ConnectionNotFoundError: The connection is not in the environment.
        InvalidConnectionError: It is wrong.

    Example:
        archive = botocore_conn_provider.session("aws_archive").client("s3")
    """
    import boto3.session

    return boto3.session.Session(botocore_session=create_bound_session(conn_id))


def fit_new_session(new: Session, *, again: bool = False) -> None:
    """Fit a session to the installed connection, unless that is switched off."""
    installation = _installed
    if installation is None or isinstance(new, UnfittedSession):
        return
    snapshot = Snapshot.take()
    if is_disabled(snapshot.environ):
        return
    binding = Binding(snapshot, installation.conn_id, remake=REMAKE)
    fit(new, binding, again=again)


def _fit_default_session() -> None:
    """Fit boto3's default session, if there is one already."""
    boto3 = sys.modules.get("boto3")
    default = getattr(boto3, "DEFAULT_SESSION", None)
    if default is not None:
        fit_new_session(default._session, again=True)  # noqa: SLF001 - no public way


def _fit_first(name: str, original: Any) -> Any:
    """Wrap a method of `Session` so that an older session is fitted first."""

    @functools.wraps(original)
    def method(self: Session, *args: Any, **kwargs: Any) -> Any:
        try:
            if find_fitted(self) is None:
                fit_new_session(self)
                if find_fitted(self) is not None:
                    return getattr(self, name)(*args, **kwargs)
            return original(self, *args, **kwargs)
        finally:
            del args, kwargs  # keys, maybe, and a traceback shows this frame

    return method
