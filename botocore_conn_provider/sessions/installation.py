"""Reach every session: install, uninstall, and a session of one's own.

New sessions are reached through `botocore.register_initializer`, which is public
and called at the birth of each. Sessions that are older than `install()` have no
such moment: `fitting.WrappedMethods` reaches them.

While there is no session, nothing here imports more of botocore than its `__init__`:
the program's own import of boto3 then finds the same stack as without us. Under our
calls it is deeper, and where CPython's stack happens to end a chunk there, importing
urllib3's regular expressions takes 50 ms instead of 5 (CPython 3.11).

Thread safety: one lock is held while installing. The state that it changes is read
without the lock, because it is a single reference.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

import botocore

from botocore_conn_provider.connection.environment import (
    ENGINES_VARIABLE,
    REHEARSE_VARIABLE,
    Snapshot,
    current_environment,
    find_former,
    is_disabled,
    is_yes,
    name_connection,
)
from botocore_conn_provider.fork import ProcessLock
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    import boto3.session
    from botocore.session import Session

    from botocore_conn_provider.sessions.fitting import WrappedMethods


class Installation:
    """The hooks in botocore, and in aiobotocore if it is there, while they are there."""

    def __init__(self, conn_id: str | None) -> None:
        self.conn_id = conn_id
        self._wrapped: WrappedMethods | None = None
        self._removed = False

    def put(self) -> None:
        """Put the hooks in."""
        # First, so that a session made meanwhile is either new or older.
        botocore.register_initializer(fit_new_session)
        if "botocore.session" in sys.modules:
            self.reach_older_sessions()

    def reach_older_sessions(self) -> None:
        """Wrap the methods of the classes of sessions, once these are imported."""
        # Imported here because it imports botocore's session; see above.
        from botocore_conn_provider.sessions.fitting import WrappedMethods

        with _lock.own:
            if self._wrapped is None and not self._removed:
                self._wrapped = WrappedMethods(fit_new_session)

    def remove(self) -> None:
        """Take the hooks out, unless somebody wrapped them meanwhile."""
        self._removed = True
        # Not there: somebody reloaded botocore, which then forgets them.
        with contextlib.suppress(ValueError):
            botocore.unregister_initializer(fit_new_session)
        if self._wrapped is not None:
            self._wrapped.restore()


ENGINES_MODULE = "botocore_conn_provider.endpoint.engines"
REHEARSAL_MODULE = "botocore_conn_provider.rehearsal.rehearsal"
_lock = ProcessLock()
_installed: Installation | None = None
_program_decided = False
_wants_engines: bool | None = None  # what the program said of them last


@scrubbed
def install(
    conn_id: str | None = None,
    *,
    engines: bool | None = None,
    rehearse: float | None = None,
) -> None:
    """Make each boto3, botocore and aiobotocore session of the process use a connection.

    Calling it again has no effect, except with another `conn_id`, which then counts
    for new sessions and for boto3's default session. It reads nothing and raises
    nothing about the environment: the first session or client that needs the
    connection does.

    Args:
        conn_id: The connection, which must then exist. None for the one that
            `BOTOCORE_CONN_ID` names, which must exist too, else `aws_default`,
            which may be absent.
        engines: Whether engines that find AWS credentials by themselves (pyarrow,
            polars, a Node child) get the connection, too, by the environment of the
            process; call it before they are imported. None for what
            `BOTOCORE_CONN_ENGINES` says, else no.
        rehearse: To try the program: credentials end after so many seconds (2 to
            3600), and at its end the process reports on standard error what went on
            using dead ones. Call it before sessions are made. None for what
            `BOTOCORE_CONN_REHEARSE_SECONDS` says, else no rehearsal.

    Raises:
        InvalidConnectionError: `conn_id` is no id; it has letters, digits, `_`, `.`
            and `-`.
        CredentialFetchError: `rehearse` is out of its range.

    Example:
        import boto3
        import botocore_conn_provider

        botocore_conn_provider.install()
        boto3.client("s3").list_buckets()
    """
    _refuse_wrong_id(conn_id)
    start_rehearsal(rehearse)
    _install(conn_id)
    _switch_engines(conn_id, engines=engines)


def start_rehearsal(seconds: float | None = None) -> None:
    """Begin a rehearsal in this process, if the program or the environment wants one."""
    if seconds is None and not current_environment().get(REHEARSE_VARIABLE):
        return
    # Imported here, by its name: few processes rehearse, and it stands above this one.
    from importlib import import_module

    import_module(REHEARSAL_MODULE).start(seconds)


def _install(conn_id: str | None) -> None:
    global _installed, _program_decided  # noqa: PLW0603 - one for each process
    with _lock.own:
        if _installed is None:
            installation = Installation(conn_id)
            installation.put()
            # Afterwards: a child that is forked meanwhile must find nothing half done.
            _installed, _program_decided = installation, True
            _fit_default_session()
        elif _installed.conn_id != conn_id:
            _installed.conn_id = conn_id
            _fit_default_session()
        _program_decided = True


def _switch_engines(conn_id: str | None, *, engines: bool | None) -> None:
    """Reach other engines, or leave them, as the program or the environment says.

    If neither says anything, those that are reached follow to the connection.
    """
    global _wants_engines  # noqa: PLW0603 - one for each process
    if engines is not None:
        _wants_engines = engines
    said = current_environment().get(ENGINES_VARIABLE, "")
    wanted = True if engines is None and is_yes(said) else engines
    if not wanted and ENGINES_MODULE not in sys.modules:
        return
    # Imported here: few processes reach other engines.
    from botocore_conn_provider.endpoint import engines as reach

    if wanted:
        reach.reach_engines(conn_id)
    elif wanted is None:
        reach.follow(conn_id)
    else:
        reach.leave_engines()


def find_installed() -> str | None:
    """Return the connection that the program installed by name; None for no name."""
    installation = _installed
    return None if installation is None else installation.conn_id


def reach_engines_at_start(*, may_load_hosts: bool) -> bool:
    """Reach engines before the first of them is imported, unless the program left them.

    Without the lock: who holds it may wait for the very import that we are in.

    Returns:
        Whether that is done; not if another thread is at it.
    """
    installation = _installed
    if _wants_engines is False or (_program_decided and installation is None):
        return True
    conn_id = None if installation is None else installation.conn_id
    # Imported here: few processes reach other engines.
    from botocore_conn_provider.endpoint.engines import reach_engines

    return reach_engines(conn_id, may_load_hosts=may_load_hosts, waits=False)


def _refuse_wrong_id(conn_id: str | None) -> None:
    """Refuse at once what the program said, which is none of the environment."""
    name = name_connection({}, conn_id)
    if name.is_wrong:
        # Imported here because the parser comes with it.
        from botocore_conn_provider.connection.record import not_found

        raise not_found(name)


def install_at_start() -> None:
    """Install for start-up activation, unless the program said otherwise itself."""
    with _lock.own:
        if _program_decided:
            return
        start_rehearsal()
        _install(None)
    # After the lock, which is taken, too, by who reaches engines and makes a session.
    _switch_engines(None, engines=None)


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
    with _lock.own:
        _program_decided = True
        installation, _installed = _installed, None
        if installation is not None:
            installation.remove()
    _switch_engines(None, engines=False)


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

    from botocore_conn_provider.sessions.fitting import create_bound_session

    start_rehearsal()
    return boto3.session.Session(botocore_session=create_bound_session(conn_id))


def fit_new_session(new: Session, *, again: bool = False) -> None:
    """Fit a session to the installed connection, unless that is switched off."""
    installation = _installed
    if installation is None:
        return
    snapshot = Snapshot.take()
    installation.reach_older_sessions()
    # Where other engines are reached, the environment is no longer the machine's: the
    # session is then fitted to what it was.
    if is_disabled(snapshot.environ) and find_former() is None:
        return
    # Imported here because it imports botocore's session; see above.
    from botocore_conn_provider.sessions.fitting import bind_session

    bind_session(new, snapshot, installation.conn_id, again=again)


def _fit_default_session() -> None:
    """Fit boto3's default session, if there is one already."""
    boto3 = sys.modules.get("boto3")
    default = getattr(boto3, "DEFAULT_SESSION", None)
    if default is not None:
        fit_new_session(default._session, again=True)  # noqa: SLF001 - no public way
