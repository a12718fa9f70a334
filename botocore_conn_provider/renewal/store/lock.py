"""Let one process renew at a time, with a deadline.

A lock of the kernel's (`flock`) goes with its holder, however that dies: no stale
lock is left behind. It lives until every descriptor of the opened file is closed,
inherited ones too, so the file is closed on exec, and a forked child closes its
copy. The lock files are few and are never deleted: to delete a locked file is to
lock two at once.

`flock` cannot wait with a deadline, so it is asked again and again; meanwhile the
caller looks whether the holder has left what he waits for.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Protocol

from botocore_conn_provider.fork import reset_in_children

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PRIVATE_FILE = 0o600
POLL_SECONDS = (0.005, 0.05)


class Waiting(Protocol):
    """What a wait needs of the keeper's runtime."""

    @property
    def elapsed(self) -> Callable[[], float]: ...
    @property
    def pause(self) -> Callable[[float], None]: ...
    @property
    def uniform(self) -> Callable[[float, float], float]: ...


class StoreLock:
    """One lock file in an open directory."""

    def __init__(self, directory: int, name: str) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor: int | None = os.open(
            name, flags, PRIVATE_FILE, dir_fd=directory
        )
        reset_in_children(self)

    def try_acquire(self) -> bool:
        """Take the lock if it is free; never blocks."""
        import fcntl  # not on every system; the store is off without it

        if self._descriptor is None:  # a forked child has let go of it
            return False
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # held; or no locks here, which the deadline ends
            return False
        return True

    def close(self) -> None:
        """Let go, for every copy of the descriptor that a child may hold too."""
        import fcntl

        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = None

    def reset_after_fork(self) -> None:
        """Close a child's copy without letting go of the parent's lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@contextlib.contextmanager
def locked(
    directory: int,
    name: str,
    *,
    seconds: float,
    waiting: Waiting,
    until: Callable[[], bool],
) -> Iterator[float]:
    """Hold the lock inside the block, or go on without it.

    Blocks until the lock is had, `until` says that there is no need of it, or
    `seconds` are over. Lets go on every path. Yields the seconds waited.
    """
    lock = StoreLock(directory, name)
    began = waiting.elapsed()
    waited = 0.0
    try:
        while not lock.try_acquire():
            waiting.pause(waiting.uniform(*POLL_SECONDS))
            waited = waiting.elapsed() - began
            if waited >= seconds or until():
                break
        yield waited
    finally:
        lock.close()
