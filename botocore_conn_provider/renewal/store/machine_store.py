"""Share credentials among the processes of one user on one machine.

Reading takes no lock. Renewing takes one with a deadline, and a process that cannot get
it in time fetches without it: the store saves work, but its faults must never make a
renewal fail. So credentials that cannot be read count as not stored, and a store that
cannot be opened or written causes one WARNING per process.
"""

from __future__ import annotations

import contextlib
import logging
import os
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.renewal.runtime import Runtime
from botocore_conn_provider.renewal.schedule import Found, Issued
from botocore_conn_provider.renewal.store.directory import (
    LOCK,
    UnsafeStoreError,
    find_key,
    open_directory,
    read_private,
    sweep,
    write_private,
)
from botocore_conn_provider.renewal.store.entry import (
    name_entry,
    read_entry,
    write_entry,
)
from botocore_conn_provider.renewal.store.places import locate_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from botocore_conn_provider.connection.environment import Snapshot
    from botocore_conn_provider.renewal.repeats import Repeats
    from botocore_conn_provider.renewal.store.failure_record import FailureRecord
    from botocore_conn_provider.renewal.store.lock import StoreLock

logger = logging.getLogger(__name__)

_warned: set[str] = set()


class MachineStore:
    """One identity's entry in the store. Safe to share among threads and forks.

    Args:
        path: The store's directory, from `find_store_directory`.
        fingerprint: That of the identity. It is a secret.
        lock_seconds: How long to wait for another process's renewal.
        runtime: Clocks, random numbers and pauses.
        subject: The connection's id and the role's ARN, for `ask_log`; None for no
            note of what is asked.
    """

    def __init__(
        self,
        path: Path,
        fingerprint: str,
        *,
        lock_seconds: float = 10.0,
        runtime: Runtime = Runtime(),  # noqa: B008 - immutable
        subject: tuple[str, str | None] | None = None,
    ) -> None:
        self._path = path
        self._fingerprint = fingerprint
        self._lock_seconds = lock_seconds
        self._runtime = runtime
        self._subject = subject

    def obtain(
        self,
        fetch: Callable[[], Issued],
        *,
        accept: Callable[[Issued], bool],
        repeats: Repeats | None = None,
    ) -> Found:
        """Return stored credentials that `accept` allows; else fetch and store new.

        Blocks while it waits for its turn and for `fetch`, whose errors it raises. With
        `repeats`, it also raises what another process was answered a moment ago.
        """
        with contextlib.ExitStack() as opened:
            try:
                place = opened.enter_context(self._open())
                stored = place.look(accept)
                if stored is not None:
                    return Found(stored, from_store=True, waited_seconds=0.0)
            except (OSError, UnsafeStoreError) as error:
                _log_unusable(error)
                return Found(fetch(), from_store=False, waited_seconds=0.0)
            return self._renew(place, fetch, accept=accept, repeats=repeats)

    def _open(self) -> contextlib.AbstractContextManager[Place]:
        return _open(self._path, self._fingerprint, self._runtime)

    def _renew(
        self,
        place: Place,
        fetch: Callable[[], Issued],
        *,
        accept: Callable[[Issued], bool],
        repeats: Repeats | None,
    ) -> Found:
        # Imported here: a start that is served from the store takes no turn.
        from botocore_conn_provider.renewal.store.turn import Turn

        with Turn(
            place,
            accept=accept,
            repeats=repeats,
            lock_seconds=self._lock_seconds,
            on_no_lock=_log_no_lock,
            clocks=self._runtime,
        ) as turn:
            found = turn.run(lambda: self._ask(place, fetch))
            if not found.from_store:
                place.put(found.issued)
                place.failures.forget()
        return found

    def _ask(self, place: Place, fetch: Callable[[], Issued]) -> Issued:
        """Fetch, and note for people that the source was asked."""
        began = self._runtime.elapsed()
        try:
            issued = fetch()
        except Exception as error:
            place.note(self._subject, began=began, error=error)
            raise
        place.note(self._subject, began=began, ends_at=issued.ends_at)
        return issued


class Place:
    """An identity's entry in the opened directory."""

    def __init__(self, directory: int, fingerprint: str, clocks: Runtime) -> None:
        self._directory = directory
        self._clocks = clocks
        self._fingerprint = fingerprint
        self._key = find_key(directory)
        self._name = name_entry(self._key, fingerprint)

    @property
    def failures(self) -> FailureRecord:
        """What the processes of this machine were last answered instead."""
        # Imported here: a start that is served from the store needs none.
        from botocore_conn_provider.renewal.store.failure_record import (
            FailureRecord,
            describe_way,
        )

        identity = f"{self._fingerprint}\n{describe_way()}"
        return FailureRecord(
            self._directory,
            name_entry(self._key, identity),
            key=self._key,
            fingerprint=identity,
            clocks=self._clocks,
        )

    def open_lock(self) -> StoreLock:
        """Return the lock, not yet acquired.

        It has one of 256 names, so that lock files are few; a shared one costs a wait.

        Raises:
            OSError: It cannot be opened.
        """
        # Imported here for the same reason.
        from botocore_conn_provider.renewal.store.lock import StoreLock

        return StoreLock(self._directory, LOCK + self._name[:2])

    def wait(self, poll_seconds: tuple[float, float], most_seconds: float) -> None:
        """Block for a moment, in which another process may change something."""
        clocks = self._clocks
        clocks.pause(min(clocks.uniform(*poll_seconds), most_seconds))

    def look(self, accept: Callable[[Issued], bool]) -> Issued | None:
        """Return the stored credentials if they are intact, ours and accepted."""
        try:
            entry = read_private(self._directory, self._name)
            if entry is None:
                return None
            issued = read_entry(
                entry,
                key=self._key,
                fingerprint=self._fingerprint,
                clocks=self._clocks,
            )
        except FileNotFoundError:
            return None
        except Exception as error:  # noqa: BLE001 - any bad entry counts as not stored
            logger.debug("A store entry is not used: %s", type(error).__name__)
            return None
        return issued if issued is not None and accept(issued) else None

    def put(self, issued: Issued) -> None:
        """Store credentials; a fault is logged and otherwise ignored."""
        clocks = self._clocks
        entry = write_entry(
            issued, key=self._key, fingerprint=self._fingerprint, clocks=clocks
        )
        now = clocks.now()
        keep_until = now + issued.ends_at - clocks.elapsed()
        try:
            write_private(self._directory, self._name, entry, keep_until=keep_until)
            sweep(self._directory, now)
        except OSError as error:
            _log_unusable(error)

    def note(self, subject: tuple[str, str | None] | None, **outcome: Any) -> None:
        """Note an ask that has ended; a fault is ignored, as no one needs the note."""
        if subject is None:
            return
        # Imported here: a start that is served from the store asks nothing.
        from botocore_conn_provider.renewal.store.ask_log import AskNotes, Subject

        # Any fault: it must cost neither what was just issued, nor the error of the ask.
        with contextlib.suppress(Exception):
            notes = AskNotes(
                self._directory,
                self._name,
                subject=Subject(*subject),
                clocks=self._clocks,
            )
            notes.add(**outcome)


@contextlib.contextmanager
def _open(path: Path, fingerprint: str, clocks: Runtime) -> Iterator[Place]:
    directory = open_directory(path)
    try:
        yield Place(directory, fingerprint, clocks)
    finally:
        os.close(directory)


def find_store(choice: str, snapshot: Snapshot) -> Path | None:
    """Return the store's directory for a session; None for no store.

    A place that cannot be is logged and counts as no store.

    Args:
        choice: `on`, `off` or a directory.
        snapshot: What a path and `on` are resolved in.
    """
    try:
        return locate_store(choice, snapshot)
    except UnsafeStoreError as error:
        _log_unusable(error)
        return None


def _log_unusable(error: OSError | UnsafeStoreError) -> None:
    """Log why the store is not used, as a WARNING once per process and cause."""
    cause = os.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)
    _log_once("not used", cause, "Each process renews for itself.")


def _log_no_lock(error: OSError) -> None:
    cause = f"no lock can be had there ({os.strerror(error.errno or 0)})"
    _log_once("used without a lock", cause, "Several processes may renew at once.")


def _log_once(how: str, cause: str, effect: str) -> None:
    level = logging.DEBUG if cause in _warned else logging.WARNING
    _warned.add(cause)
    logger.log(level, "The credential store is %s: %s. %s", how, cause, effect)
