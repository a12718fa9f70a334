"""Bound a whole login by one deadline, whatever it is that waits.

A time-out per read does not bound a server that drips bytes, and nothing in
Python bounds a name look-up or a KDC that does not answer. So the login runs in
a thread of its own. At the deadline its caller goes on with an error, and the
sockets that the thread still waits on are shut down, which ends it; a look-up
that is under way ends by the system's own time-out and then finds no time left.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import contextvars
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


class DeadlineExceededError(Exception):
    """The work was not done in time. Never leaves this package."""


class Connection(Protocol):
    """What we use of urllib3's connections."""

    sock: socket.socket | None


class Deadline:
    """The moment by which a login ends, and what it is doing meanwhile.

    The lock guards the list of connections: the login's thread adds to it while
    its caller may be cutting. `doing` is written by one thread and read by one.

    Attributes:
        seconds: How long the whole login may take.
        doing: What the login waits for; finishes "while".
        was_doing: What it waited for when the deadline came, for the error.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.doing = self.was_doing = "starting"
        self._end = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._connections: list[Connection] = []
        self._is_cut = False

    def remaining(self) -> float:
        """Return the seconds that are left, never less than 0."""
        return max(0.0, self._end - time.monotonic())

    def require_time(self) -> float:
        """Return the seconds that are left.

        Raises:
            DeadlineExceededError: None are.
        """
        remaining = self.remaining()
        if not remaining or self._is_cut:
            if not self._is_cut:
                self.was_doing = self.doing
            raise DeadlineExceededError
        return remaining

    def pause(self, seconds: float) -> None:
        """Wait for `seconds`, which the caller knows to be there."""
        time.sleep(min(seconds, self.remaining()))

    def watching(self, connect: Callable[..., Connection]) -> Callable[..., Connection]:
        """Return `connect` so that what it makes is cut at the deadline."""

        def connect_watched(*args: Any, **options: Any) -> Connection:
            connection = connect(*args, **options)
            with self._lock:
                self._connections.append(connection)
            return connection

        return connect_watched

    def cut(self) -> None:
        """Shut down every connection of the login, so that its thread ends."""
        self.was_doing = self.doing  # the thread may go on a little
        self._is_cut = True
        with self._lock:
            for connection in self._connections:
                if connection.sock is not None:
                    # The plain method: that of a TLS socket takes the TLS state
                    # away under the thread that is reading.
                    with contextlib.suppress(OSError):
                        socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def run_within(deadline: Deadline, work: Callable[[], Result]) -> Result:
    """Return or raise what `work` does, in a thread, unless the deadline comes first.

    Where no thread can be started (the interpreter is ending), the work is done
    in line: the time-outs of its reads still hold, the bound on drips does not.

    Raises:
        DeadlineExceededError: It came first.
    """
    outcome: concurrent.futures.Future[Result] = concurrent.futures.Future()
    context = contextvars.copy_context()  # quiet_exchange() holds there too
    thread = threading.Thread(
        target=context.run, args=(_settle, outcome, work), name="conn-saml", daemon=True
    )
    try:
        thread.start()
    except RuntimeError:
        return work()
    in_time = False
    try:
        waited = concurrent.futures.wait([outcome], timeout=deadline.remaining())
        in_time = bool(waited.done)
    finally:
        if not in_time:
            deadline.cut()
    if not in_time:  # what the work makes of its cut sockets is no result
        raise DeadlineExceededError
    return outcome.result()


def _settle(
    outcome: concurrent.futures.Future[Result], work: Callable[[], Result]
) -> None:
    try:
        outcome.set_result(work())
    except BaseException as error:  # handed to the caller, who raises it
        outcome.set_exception(error)
