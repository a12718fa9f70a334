"""Let one process at a time renew, with a deadline for the others.

The kernel releases a lock (`flock`) however its holder ends, so there are no stale
locks. But it is held until every descriptor of the opened file is closed, inherited
ones too, so the file is closed on exec, and a forked child closes its copy. The lock
files are few and are never deleted: if a locked file were deleted, another process
could create and lock a new one, and two would hold the lock.

`flock` cannot wait with a deadline, so the lock is tried again and again; between the
tries the caller (`turn`) checks whether the holder has stored what it needs. Who gets
the lock touches its file: so those who wait tell a holder that is stuck from a queue.
"""

from __future__ import annotations

import contextlib
import os

from botocore_conn_provider.fork import reset_in_children
from botocore_conn_provider.renewal.store.directory import PRIVATE_FILE


class StoreLock:
    """One lock file in an open directory."""

    def __init__(self, directory: int, name: str) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor: int | None = os.open(
            name, flags, PRIVATE_FILE, dir_fd=directory
        )
        reset_in_children(self)

    def try_acquire(self) -> bool:
        """Take the lock if it is free; never blocks.

        Raises:
            OSError: This file system has no locks, or has none left.
        """
        # Imported here because Windows has no fcntl; the store is off there.
        import fcntl

        if self._descriptor is None:  # closed in a forked child
            return False
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # held by another process
            return False
        return True

    def beat(self) -> None:
        """Let those who wait see that the lock has a new holder."""
        if self._descriptor is not None:
            os.utime(self._descriptor)

    def read_pulse(self) -> int:
        """Return what changes with each `beat`."""
        return 0 if self._descriptor is None else os.fstat(self._descriptor).st_mtime_ns

    def close(self) -> None:
        """Release the lock, even if a forked child has a copy of the descriptor."""
        import fcntl  # imported here for the same reason

        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = None

    def reset_after_fork(self) -> None:
        """Close the child's copy without releasing the parent's lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
