"""The thread that keeps a secret of DuckDB's fresh.

It looks at short intervals: a thread's wait does not count the time that a machine
sleeps, and nothing says that a connection was closed.
"""

from __future__ import annotations

import atexit
import contextlib
import datetime
import queue
import threading
import weakref
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.bridges.duckdb_secret import KeptSecret
from botocore_conn_provider.errors import CredentialFetchError
from botocore_conn_provider.events import add_listener, remove_listener

if TYPE_CHECKING:
    from botocore_conn_provider.bridges.lending import Lent
    from botocore_conn_provider.events import Event

# DuckDB's error for a connection that is closed.
CLOSED = "ConnectionException"
RENEWED = ("renewal_succeeded", "store_hit")
# Between two looks.
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 60.0
# After a failure, doubled up to so many: nobody may be using the secret, and an IdP that
# refuses a password again and again locks the account.
LONGEST_PAUSE_SECONDS = 300.0
# A program's end waits so long for a secret that is being written.
EXIT_SECONDS = 5.0


class SecretRenewal:
    """Renews a secret in a thread of its own, while its connection is there.

    It does not keep the connection: where that is closed or let go, it ends.
    """

    def __init__(self, secret: KeptSecret, connection: Any) -> None:
        self._secret = secret
        self._pause_seconds = 0.0
        # No event: the collector may let go of a connection, and so wake us, while this
        # very thread is inside the lock of one.
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        wake = self._wake
        self._connection = weakref.ref(connection, lambda _: wake.put(None))

    def start(self) -> None:
        """Start the thread.

        Raises:
            CredentialFetchError: There can be none.
        """
        thread = threading.Thread(
            target=self._run, name="botocore-conn-duckdb", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            raise CredentialFetchError(
                conn_id=self._secret.conn_id,
                cause="no thread can be started, which would renew DuckDB's secret.",
            ) from None

    def _run(self) -> None:
        add_listener(self._hear)
        try:
            while self._renew():
                pass
        finally:
            remove_listener(self._hear)

    def _hear(self, event: Event) -> None:
        """Wake when others have renewed the credentials."""
        if event.kind in RENEWED and event.conn_id == self._secret.conn_id:
            self._wake.put(None)

    def _renew(self) -> bool:
        """Wait until it is time, and renew; return whether to go on."""
        self._wait(self._count_seconds())
        if self._connection() is None:
            return False
        try:
            lent = self._secret.fetch()
        except Exception:  # noqa: BLE001 - also botocore's, where it keeps credentials
            # The renewal's events say why; the old keys end by themselves.
            longer = max(2 * self._pause_seconds, SHORTEST_SECONDS)
            self._pause_seconds = min(longer, LONGEST_PAUSE_SECONDS)
            return True
        self._pause_seconds = 0.0
        with KeptSecret.lock.own:  # around all that is DuckDB's, for `_stop_writing`
            return self._put(lent)

    def _wait(self, seconds: float) -> None:
        with contextlib.suppress(queue.Empty):
            self._wake.get(timeout=seconds)
            while True:
                self._wake.get_nowait()

    def _put(self, lent: Lent) -> bool:
        connection = self._connection()  # not while something is fetched
        if connection is None:
            return False
        try:
            return self._secret.renew(connection, lent)
        except Exception as error:  # noqa: BLE001 - of DuckDB's, which stays unimported
            # Closed. Whatever else it may be (out of memory) is tried again.
            return type(error).__name__ != CLOSED

    def _count_seconds(self) -> float:
        if self._pause_seconds:
            return self._pause_seconds
        ends_at = self._secret.lent.ends_at
        if ends_at is None:
            return LONGEST_SECONDS
        now = datetime.datetime.now(datetime.timezone.utc)
        left = (ends_at - now).total_seconds()
        return min(max(left, SHORTEST_SECONDS), LONGEST_SECONDS)


@atexit.register
def _stop_writing() -> None:
    """Keep our threads out of DuckDB from now on.

    Python ends a daemon thread that comes back from C++ after the interpreter's end,
    and that ends the process by SIGABRT.
    """
    KeptSecret.lock.own.acquire(timeout=EXIT_SECONDS)
