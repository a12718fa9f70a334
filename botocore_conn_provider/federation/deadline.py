"""Bound work that cannot bound itself, by one deadline.

Time-outs of HTTP libraries are per read, so bytes that drip outlive them; name
look-ups, TLS handshakes, a KDC that does not answer, commands and files on a dead
mount have none at all. So the work runs in a thread of its own. At the deadline
its caller goes on with an error, and the connections that the thread still waits
on are shut, which ends it; what cannot be shut ends by the system's own time-out
and then finds no time left.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from concurrent.futures import Future, wait
from contextvars import Context, ContextVar, copy_context
from typing import TYPE_CHECKING, TypeVar

from botocore_conn_provider.attempt_end import find_attempt_end
from botocore_conn_provider.fork import could_start
from botocore_conn_provider.tracebacks import clear_frames

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    # For the type checker alone: defining a protocol delays each start.
    class OpenConnection(Protocol):
        """What we use of urllib3's connections."""

        sock: socket.socket | None


T = TypeVar("T")


class DeadlineExceededError(Exception):
    """The work was not done in time. Never leaves the package.

    No TimeoutError: that is an OSError, which HTTP code takes for a network fault.
    """


class Deadline:
    """The moment by which one attempt ends, and what it is doing meanwhile.

    Within other bounded work, or an attempt with an end, the earlier end counts.

    The lock orders "a connection is made" and "the time is up", so that every
    connection of an attempt that was given up is shut. `doing` is written by the
    attempt's thread and read by its caller.

    Attributes:
        seconds: How long the attempt may take.
        doing: What the attempt waits for; finishes "while".
        was_doing: What it waited for when the deadline came, for the error.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.doing = self.was_doing = "starting"
        outer, attempt_end = find_deadline(), find_attempt_end()
        self._end = time.monotonic() + seconds
        if outer is not None:
            self._end = min(self._end, outer._end)  # noqa: SLF001 - of our own class
        if attempt_end is not None:
            self._end = min(self._end, attempt_end)
        self._lock = threading.Lock()
        self._over = False
        self._watched: set[OpenConnection] = set()

    @property
    def remaining_seconds(self) -> float:
        """Never negative."""
        return max(0.0, self._end - time.monotonic())

    def require_time(self) -> float:
        """Return the seconds that are left.

        Raises:
            DeadlineExceededError: None are.
        """
        remaining = self.remaining_seconds
        if not remaining or self._over:
            self._note_doing()
            raise DeadlineExceededError
        return remaining

    def pause(self, seconds: float) -> None:
        """Wait for `seconds`, which the caller knows to be there."""
        time.sleep(min(seconds, self.remaining_seconds))

    def watch(self, connection: OpenConnection) -> None:
        """Shut `connection` when the attempt is over, at once if it is already."""
        with self._lock:
            if not self._over:
                self._watched.add(connection)
                return
        _shut(connection)

    def end(self) -> None:
        """Shut all connections: a thread that still reads gets end of file."""
        self._note_doing()  # the thread may go on a little
        with self._lock:
            self._over = True
            watched, self._watched = self._watched, set()
        for connection in watched:
            _shut(connection)

    def _note_doing(self) -> None:
        if not self._over:
            self.was_doing = self.doing


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def find_deadline() -> Deadline | None:
    """Return the deadline that this code runs under, if any."""
    return _current.get()


def run_within(deadline: Deadline, work: Callable[[], T]) -> T:
    """Return or raise what `work` does, unless the deadline comes first.

    Where no thread can be started (the interpreter is ending), the work is done
    in line: the time-outs of its reads still hold, the bound on drips does not.

    Raises:
        DeadlineExceededError: It came first. The work is given up, not stopped.
    """
    context = copy_context()  # quiet_exchange() holds there too
    context.run(_current.set, deadline)
    future: Future[T] = Future()
    try:
        try:
            _start(context, future, work)
            in_time = bool(wait([future], deadline.remaining_seconds).done)
        finally:
            deadline.end()
        if not in_time:  # what the work makes of its shut connections is no result
            raise DeadlineExceededError
        return future.result()
    finally:
        del future  # see _settle


def _start(context: Context, future: Future[T], work: Callable[[], T]) -> None:
    if not _start_thread(context, future, work):
        context.run(_settle, future, work)
    del future  # see _settle


def _start_thread(context: Context, future: Future[T], work: Callable[[], T]) -> bool:
    thread = threading.Thread(
        target=context.run,
        args=(_settle, future, work),
        name="conn-proof",
        daemon=True,
    )
    return could_start(thread)


def _settle(future: Future[T], work: Callable[[], T]) -> None:
    """Do the work in the thread, and give the future what comes of it.

    An error refers to the frames that it passed, and a frame may refer to an error.
    In such a circle, what the work had open (a connection, a token) would stay until
    the garbage collector runs, which then warns of an unclosed socket. So the frames
    are cleared, and no frame of ours still names the future, which holds the error.
    """
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - carried to the thread that waits
        clear_frames(error)
        future.set_exception(error)
    finally:
        del future


def _shut(connection: OpenConnection) -> None:
    opened = connection.sock
    if opened is not None:
        # The plain method: that of a TLS socket takes the TLS state away under
        # the thread that is reading. OSError: closed by its owner meanwhile.
        with contextlib.suppress(OSError):
            socket.socket.shutdown(opened, socket.SHUT_RDWR)
