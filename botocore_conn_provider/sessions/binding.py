"""One connection as one session sees it: captured at its creation, parsed on first use.

Each new session captures the environment of its moment and keeps it: the snapshot is
taken when the session is fitted, and read when something asks for it, so that
`install()` and a session that never needs the connection raise nothing.

Thread safety: parsing happens once, under a lock; the result never changes.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.connection.environment import (
    DISABLE_VARIABLE,
    Snapshot,
    find_text,
    is_disabled,
    name_connection,
)
from botocore_conn_provider.fork import ProcessLock
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import botocore.session

    from botocore_conn_provider.connection.settings import AwsSettings

logger = logging.getLogger(__name__)
_said: set[str] = set()


class Remake(Value):
    """The functions that make a connection's credentials again from its name.

    A pickle holds one of them and the name, never keys. They make a session, so they
    stand above this module and are handed in.
    """

    credentials: Callable[[str], Any]
    aio_credentials: Callable[[str], Any]


class Binding:
    """A connection's name and the environment it is read from.

    Args:
        snapshot: The environment that the connection and its identity are read from.
        conn_id: The connection the program named; None for the environment's.
        remake: What a pickle or copy of the connection's credentials calls.
    """

    def __init__(
        self, snapshot: Snapshot, conn_id: str | None = None, *, remake: Remake
    ) -> None:
        self.snapshot = snapshot
        self.remake = remake
        self.name = name_connection(snapshot.environ, conn_id)
        self._lock = ProcessLock()
        self._settings: AwsSettings | None = None
        # Of one thread, so that neither another thread nor a forked child takes what
        # is being judged for judged.
        self._judging = threading.local()
        self._done = False

    def __copy__(self) -> Binding:
        return self

    def __deepcopy__(self, memo: object) -> Binding:
        # A copied session has the same connection, from the same snapshot.
        return self

    def read(self, session: botocore.session.Session) -> AwsSettings | None:
        """Return what the connection means; None if the default one is absent.

        Raises:
            ConnectionNotFoundError: It was named explicitly and is absent.
            InvalidConnectionError: It is wrong. Raised at each call.
        """
        if not self._done:
            judging: AwsSettings | None = vars(self._judging).get("settings")
            if judging is not None:
                return judging
            with self._lock.own:
                notices = self._read_once(session)
            # After the lock: a log handler may make a client of this session.
            for level, notice in notices:
                say_once(level, notice)
        return self._settings

    def _read_once(
        self, session: botocore.session.Session
    ) -> Sequence[tuple[int, str]]:
        """Read the connection, and return what is to be logged about it."""
        if self._done:  # by the thread that had the lock before
            return ()
        settings = self._read()
        if settings is not None and settings.needs_checks:
            self._judge(settings, session)
        self._settings = settings
        self._done = True
        if settings is None:
            unset = f"{self.name.variable} is not"
            why = f"{DISABLE_VARIABLE} is" if self._is_disabled else unset
            notice = f"{why} set: botocore's own chain is used."
            return [(logging.INFO, notice)]
        place = f"Connection '{self.name.conn_id}'"
        return [(logging.WARNING, f"{place}: {notice}") for notice in settings.notices]

    def _judge(self, settings: AwsSettings, session: botocore.session.Session) -> None:
        # Imported here: most connections need no checks.
        from botocore_conn_provider.exchange.checks import judge

        # Judging asks the session for files and profiles, which asks back for the
        # connection in this same thread: it sees what was read. Other threads
        # wait at the lock until it is judged.
        self._judging.settings = settings
        try:
            judge(settings, session, variable=self.name.variable)
        finally:
            self._judging.settings = None

    @property
    def _is_disabled(self) -> bool:
        return is_disabled(self.snapshot.environ)

    def _read(self) -> AwsSettings | None:
        # Imported here so that processes without a connection skip the parser.
        from botocore_conn_provider.connection.record import Connection, not_found

        if self._is_disabled:
            return None
        text = find_text(self.snapshot.environ, self.name)
        if text is None:
            if self.name.named_by is not None:
                raise not_found(self.name)
            return None
        return Connection.parse(
            text.reveal(),
            self.name.conn_id,
            environ=self.snapshot.environ,
            variable=self.name.variable,
        ).settings


class FittedSession:
    """A botocore session and the connection that it uses.

    Attributes:
        session: The session.
        binding: Its connection; `install()` with another one replaces it.
        client_region: The region of the last client that was asked for, which
            botocore's chain falls back on for its own STS calls.
    """

    def __init__(self, session: botocore.session.Session, binding: Binding) -> None:
        self.session = session
        self.binding = binding
        self.client_region: str | None = None

    def read(self) -> AwsSettings | None:
        """Return the connection's meaning; None where it does not apply."""
        if self.session.instance_variables().get("profile") is not None:
            return None
        return self.binding.read(self.session)


def say_once(level: int, message: str) -> None:
    """Log a message the first time this process has it to say."""
    if message not in _said:
        _said.add(message)
        # A filter or handler of the program's that fails must not stop its client.
        with contextlib.suppress(Exception):
            logger.log(level, "%s", message)
