"""Put a rehearsal in place in this process, and take it out again.

Who started the job collects the notes of all its processes and reports: the command
`rehearse`, pytest, or the process itself at its end where `install(rehearse=…)` began it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import botocore

from botocore_conn_provider import events
from botocore_conn_provider.connection.environment import (
    DEFAULT_CONN_ID,
    REHEARSE_PLACE_VARIABLE,
    REHEARSE_VARIABLE,
    current_environment,
    is_disabled,
)
from botocore_conn_provider.fork import ProcessLock
from botocore_conn_provider.rehearsal.duration import require_seconds
from botocore_conn_provider.rehearsal.notes import Notes, is_private
from botocore_conn_provider.rehearsal.readers import Readers, name_handed, name_lent
from botocore_conn_provider.rehearsal.requests import Judge
from botocore_conn_provider.rehearsal.sets import Sets
from botocore_conn_provider.renewal.identity import Asker
from botocore_conn_provider.renewal.source import Source

if TYPE_CHECKING:
    from botocore.session import Session

    from botocore_conn_provider.events import Event

PREFIX = "botocore-conn-rehearsal-"
FAILED = ("renewal_failed", "served_stale")
_lock = ProcessLock()
_running: Rehearsal | None = None


class Rehearsal:
    """What a rehearsal has put in place in this process."""

    def __init__(self, seconds: float, directory: Path) -> None:
        self.seconds = seconds
        self.notes = Notes(directory)
        self._sets = Sets(seconds, self.notes)
        self._judge = Judge(self._sets, self.notes)
        self._readers = Readers(self.notes)
        self._engines: list[str] = []
        self._watches_aio = False

    def put(self) -> None:
        """Put it in place."""
        # Imported here: a command that only hands on may not have loaded them yet.
        from botocore_conn_provider.bridges import lending
        from botocore_conn_provider.endpoint.supply import KeptSupply
        from botocore_conn_provider.sessions.credentials import KeptCredentials

        Source.shorten = self._sets.shorten
        # They end early, which is nothing for other processes of the machine.
        Asker.passes_store_over = True
        self._readers.watch(KeptCredentials)
        self._readers.watch_results(lending, "lend_held", name_lent)
        self._readers.watch_results(KeptSupply, "take", name_handed)
        botocore.register_initializer(self._watch)
        boto3 = sys.modules.get("boto3")
        default = getattr(boto3, "DEFAULT_SESSION", None)
        if default is not None:
            self._watch(default._session)  # noqa: SLF001 - no public way
        events.add_listener(self._hear)
        atexit.register(self._note_engines)

    def remove(self) -> None:
        """Take it out. Clients that exist go on being watched."""
        Source.shorten = None
        Asker.passes_store_over = False
        self._readers.restore()
        # Not there: somebody reloaded botocore, which then forgets them.
        with contextlib.suppress(ValueError):
            botocore.unregister_initializer(self._watch)
        events.remove_listener(self._hear)
        atexit.unregister(self._note_engines)

    def _watch(self, session: Session) -> None:
        # Imported here: it imports botocore's session, which the caller has loaded.
        from botocore_conn_provider.sessions.client_creation import is_aio

        self._judge.watch(session)
        if is_aio(session) and not self._watches_aio:
            self._watches_aio = True
            # Imported here because it imports aiobotocore, which this program has imported.
            from botocore_conn_provider.sessions.aio import aio_credentials

            self._readers.watch_aio(aio_credentials.AioKeptCredentials)

    def _hear(self, event: Event) -> None:
        if event.kind in FAILED:
            self.notes.write("failed", conn_id=event.conn_id, error=event.error)
        if event.kind == "renewal_succeeded":
            self._note_engines()

    def _note_engines(self) -> None:
        """Note what is loaded that signs by itself: its requests are not seen."""
        # Imported here: start-up alone loads it elsewhere.
        from botocore_conn_provider.startup.hook import ENGINES

        loaded = sorted(each for each in ENGINES if each in sys.modules)
        if loaded != self._engines:
            self._engines = loaded
            self.notes.write("engines", names=loaded)


def start(said: float | None = None) -> Rehearsal | None:
    """Begin the rehearsal of this process, and of those that it starts.

    Calling it again has no effect.

    Args:
        said: How long credentials live, in seconds; None for what
            `BOTOCORE_CONN_REHEARSE_SECONDS` says.

    Returns:
        The rehearsal; None where the connections are switched off.

    Raises:
        CredentialFetchError: What was said is no duration.
    """
    global _running  # noqa: PLW0603 - one for each process
    environ = current_environment()
    with _lock.own:
        if _running is not None or is_disabled(environ):
            return _running
        named = REHEARSE_VARIABLE if said is None else "install(rehearse=…)"
        text = environ.get(REHEARSE_VARIABLE, "") if said is None else said
        seconds = require_seconds(text, conn_id=DEFAULT_CONN_ID, named=named)
        if said is None and find_job() is None:
            _warn(seconds)
        rehearsal = Rehearsal(seconds, _find_directory(seconds))
        rehearsal.put()
        _running = rehearsal
        return rehearsal


def stop() -> None:
    """End it; calling it again has no effect."""
    global _running
    with _lock.own:
        rehearsal, _running = _running, None
        if rehearsal is not None:
            rehearsal.remove()


def _warn(seconds: float) -> None:
    """Say at once that a variable alone began it: it may be left over from another run."""
    _say(
        f"botocore-conn: {REHEARSE_VARIABLE} is set, so this process rehearses:"
        f" credentials live {seconds:g} s. Remove it from a real run.\n"
    )


def _say(text: str) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(text)


def _find_directory(seconds: float) -> Path:
    """Return the job's; a new one where this process begins the job."""
    given = find_job()
    if given is not None:
        return given
    directory = create_directory()
    os.environ[REHEARSE_VARIABLE] = f"{seconds:g}"
    os.environ[REHEARSE_PLACE_VARIABLE] = str(directory)
    atexit.register(_report_at_end, directory, os.getpid())
    return directory


def find_job() -> Path | None:
    """Return the directory of the rehearsed job that this process belongs to, if any."""
    given = Path(current_environment().get(REHEARSE_PLACE_VARIABLE, ""))
    is_ours = given.name.startswith(PREFIX) and is_private(given)
    return given if is_ours else None


def create_directory() -> Path:
    """Return a new directory that only this user can read."""
    return Path(tempfile.mkdtemp(prefix=PREFIX))


def _report_at_end(directory: Path, owner: int) -> None:
    if os.getpid() != owner:  # a forked child ends before its parent
        return
    # Imported here: only who began it reports.
    from botocore_conn_provider.rehearsal.findings import find
    from botocore_conn_provider.rehearsal.report import write_text

    running = _running
    seconds = 0.0 if running is None else running.seconds
    _say(write_text(find(directory), seconds))
    shutil.rmtree(directory, ignore_errors=True)
