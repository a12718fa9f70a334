"""Give each process its own locks and values, across a fork.

A lock that another thread holds at the moment of a fork stays held in the child
for ever, a renewal thread does not exist there, an open lock file keeps its lock
alive, and an HTTP connection is shared with the parent. `os.register_at_fork`
cannot be undone, so this module registers one hook, which resets every object in a
weak set.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class ForkAware(Protocol):
    """Something that resets itself in a forked child."""

    def reset_after_fork(self) -> None:
        """Replace locks and forget threads. Runs in the child, alone."""


_aware: weakref.WeakSet[ForkAware] = weakref.WeakSet()


def reset_in_children(thing: ForkAware) -> None:
    """Call `thing.reset_after_fork()` in every forked child, while it lives."""
    _aware.add(thing)


def _reset_all() -> None:
    for thing in list(_aware):
        thing.reset_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)


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


class PerProcess(Generic[T]):
    """A value that each process makes for itself at first use: an STS client, say.

    Not locked: its user is the keeper's one renewal at a time.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: tuple[int, T] | None = None

    def __call__(self) -> T:
        """Return this process's value."""
        pid = os.getpid()
        if self._made is None or self._made[0] != pid:
            self._made = (pid, self._make())
        return self._made[1]
