"""A lock that a forked child never inherits held.

A `threading.Lock` that another thread of the parent held at the fork stays held
for ever in the child, where that thread does not exist.
"""

from __future__ import annotations

import os
import threading


class ProcessLock:
    """A re-entrant lock of this process: each process has its own."""

    def __init__(self) -> None:
        self._locks: dict[int, threading.RLock] = {}

    def __enter__(self) -> None:
        # setdefault is atomic, so two threads cannot get two locks.
        self._locks.setdefault(os.getpid(), threading.RLock()).acquire()

    def __exit__(self, *raised: object) -> None:
        held = self._locks.get(os.getpid())
        if held is not None:  # None in a child that was forked inside the block
            held.release()
