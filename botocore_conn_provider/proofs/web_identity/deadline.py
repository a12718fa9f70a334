"""Bound work that cannot bound itself.

Timeouts of HTTP libraries are per read, so bytes that drip outlive them; name
look-ups, TLS handshakes, commands and files on a dead mount have none at all. So
the work runs in a thread and the caller waits for it until the deadline.

What guards what: one `Deadline` belongs to one attempt. Its lock orders "a socket
was opened" and "the time is up", so that every socket of an attempt that was given
up is shut, and its thread, which is a daemon, ends on its next read or write.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from concurrent.futures import Future, wait
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Deadline:
    """The end of one attempt, and the sockets that it opened."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._over = False
        self._sockets: list[socket.socket] = []

    @property
    def remaining_seconds(self) -> float:
        """Never negative."""
        return max(0.0, self._ends - time.monotonic())

    def watch(self, opened: socket.socket) -> None:
        """Shut `opened` when the attempt is over, at once if it is already."""
        with self._lock:
            if not self._over:
                self._sockets.append(opened)
                return
        _shut(opened)

    def end(self) -> None:
        """Shut all that was opened: a thread that still reads gets end of file."""
        with self._lock:
            self._over = True
            opened, self._sockets = self._sockets, []
        for each in opened:
            _shut(each)


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def find_deadline() -> Deadline | None:
    """Return the deadline that this code runs under, if any."""
    return _current.get()


def run_within(seconds: float, work: Callable[[], T]) -> T:
    """Run `work` and return its result, waiting for at most `seconds`.

    Within other bounded work the earlier deadline counts. Where no thread can be
    started any more (the interpreter is ending), `work` runs in line.

    Raises:
        TimeoutError: The time is up. `work` is given up, not stopped.
    """
    outer = find_deadline()
    if outer is not None:
        seconds = min(seconds, outer.remaining_seconds)
    deadline = Deadline(seconds)
    future: Future[T] = Future()
    context = copy_context()
    context.run(_current.set, deadline)
    try:
        _start(lambda: context.run(_settle, future, work))
        in_time = wait([future], deadline.remaining_seconds).done
    finally:
        deadline.end()  # which makes late work fail: its outcome no longer counts
    if not in_time:
        raise TimeoutError(f"no result within {seconds:g} s")
    return future.result()


def _start(task: Callable[[], None]) -> None:
    try:
        threading.Thread(target=task, name="identity-token", daemon=True).start()
    except RuntimeError:
        task()


def _settle(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - carried to the thread that waits
        future.set_exception(error)


def _shut(opened: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed by its owner meanwhile
        opened.shutdown(socket.SHUT_RDWR)
