"""Give each process its own locks, across a fork.

In a forked child, a lock that another thread held at the fork is never released,
renewal threads do not exist, an inherited lock file keeps its lock, and HTTP
connections are shared with the parent. `os.register_at_fork` cannot be undone, so this
module registers one hook, which resets every object in a weak set.

OpenSSL has locks too, which no one resets: a child whose parent was inside them, in
another thread, hangs at its first connection. Our threads connect, so a fork first waits
a little for those that run, and until those that are done have left OpenSSL.

An object that the hook replaces distinguishes a process from its parent. The process id
is not enough, because the first process of each pid namespace has the id 1.

A thread may fail to start, too, at the end of a process for example: `could_start`.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING

import botocore_conn_provider.unfinished_imports  # noqa: F401 - it registers a hook

if TYPE_CHECKING:
    from typing import Protocol

    # For the type checker alone: defining a protocol delays each start.
    class ForkAware(Protocol):
        """Something that resets itself in a forked child."""

        def reset_after_fork(self) -> None:
            """Replace locks and forget threads. Runs in the child's only thread."""


_aware: weakref.WeakSet[ForkAware] = weakref.WeakSet()
_connecting: set[threading.Thread] = set()
# A thread that hangs on its source delays one fork by two seconds, and no other.
# Counted, because a test may have stopped the clock.
MOST_PAUSES, PAUSE_SECONDS = 2000, 0.001
_process = object()


def reset_in_children(thing: ForkAware) -> None:
    """Call `thing.reset_after_fork()` in every forked child, while `thing` exists."""
    _aware.add(thing)


def current_process() -> tuple[object, int]:
    """Return a key that is different in every process, also in parent and child.

    It includes the process id because fork hooks of others may run before ours.
    """
    return _process, os.getpid()


def delay_forks(thread: threading.Thread) -> None:
    """Have a fork wait for this thread, about to start, which makes connections."""
    ended = [each for each in _list_connecting() if _has_ended(each)]
    _connecting.difference_update(ended)
    _connecting.add(thread)


def wait_for_connections() -> None:
    """Return when our other threads have ended, or after two seconds."""
    started = [each for each in _list_connecting() if each.ident is not None]
    if threading.current_thread() in started:
        return  # they may wait for this one
    for _ in range(MOST_PAUSES):
        if all(map(_has_ended, started)):
            break
        time.sleep(PAUSE_SECONDS)
    _connecting.difference_update(started)


def _list_connecting() -> list[threading.Thread]:
    return list(_connecting)  # atomic, unlike going over the set


def _has_ended(thread: threading.Thread) -> bool:
    """Return whether a thread was started and the system has ended it.

    OpenSSL cleans up when the system ends a thread. Source: proc(5) for the path; where
    there is none, the end of the Python code has to do.
    """
    if thread.ident is None or thread.is_alive():
        return False
    task = f"/proc/self/task/{thread.native_id}"
    return not os.path.exists(task)  # noqa: PTH110 - before pathlib


def _reset_all() -> None:
    global _process  # noqa: PLW0603 - one for each process
    _process = object()
    _connecting.clear()
    with contextlib.ExitStack() as each:
        # One that fails must not leave the locks of the others held. Python shows the
        # error, and the child goes on.
        for thing in list(_aware):
            each.callback(thing.reset_after_fork)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=wait_for_connections, after_in_child=_reset_all)


class ProcessLock:
    """A re-entrant lock of this process: each process has its own.

    `with lock.own:` holds it. The statement gets the plain lock, because Python runs no
    signal handler between taking that and entering the block: one that raises (a time
    limit) would else leave the lock held for ever. A child that was forked inside the
    block leaves the block as its parent does.
    """

    def __init__(self) -> None:
        self._locks: dict[tuple[object, int], threading.RLock] = {}

    @property
    def own(self) -> threading.RLock:
        """The lock of the process that asks."""
        # setdefault is atomic, so two threads cannot get two locks.
        return self._locks.setdefault(current_process(), threading.RLock())


def could_start(thread: threading.Thread) -> bool:
    """Start a thread that makes connections; return False where there can be none.

    What a signal handler raises meanwhile passes, a `RuntimeError` too: the thread
    runs then, so its work must not be done a second time.
    """
    if sys.is_finalizing():  # a start would wait for a thread that never runs
        return False
    # Before it starts, because a third thread may fork before this one goes on.
    delay_forks(thread)
    try:
        thread.start()
    except RuntimeError:
        if thread.ident is not None:
            raise
        _connecting.discard(thread)
        return False
    return True
