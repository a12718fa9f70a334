"""Everything that the keeper uses from outside, for tests to replace.

That is clocks, random numbers, threads and listeners. There are two clocks. Lifetimes,
deadlines and pauses are measured by one that nobody sets: it starts when the machine
does, and counts the time that the machine sleeps, where the system has such a clock. The
wall clock may be set at any time, so it is only for what is stored and shown, and for a
server that does not say what time it is.
"""

from __future__ import annotations

import functools
import random
import sys
import threading
import time
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Any

from botocore_conn_provider import events
from botocore_conn_provider.fork import could_start
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from botocore_conn_provider.renewal.schedule import Uniform


def find_steady_clock() -> Callable[[], float]:
    """Return the clock of this system that nobody sets, in seconds.

    Source: clock_gettime(2) of Linux, where CLOCK_MONOTONIC stands still during sleep
    and CLOCK_BOOTTIME does not; clock_gettime(3) of macOS, where CLOCK_MONOTONIC counts
    it and Python's own `monotonic` does not. Windows counts it.
    """
    if hasattr(time, "CLOCK_BOOTTIME"):
        return functools.partial(time.clock_gettime, time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":  # pragma: no cover - not the system of the tests
        return functools.partial(time.clock_gettime, time.CLOCK_MONOTONIC)
    return time.monotonic  # pragma: no cover - not the system of the tests


class NoThreadError(RuntimeError):
    """This process can start no thread now."""


def start_daemon(work: Callable[[], None]) -> None:
    """Run `work` in a daemon thread, which does not delay the interpreter's exit.

    Raises:
        NoThreadError: No thread can be started, for example at shutdown.
    """
    name = "botocore-conn-renewal"
    if not could_start(threading.Thread(target=work, name=name, daemon=True)):
        raise NoThreadError


def wait_for(future: Future[Any], seconds: float) -> None:
    """Block until the future is done, or for that long."""
    try:
        future.exception(max(0.0, seconds))
    except FutureTimeoutError:
        return


class Runtime(Value):
    """The functions that the keeper uses from outside.

    Random numbers come from the operating system. If a program gives `random` the same
    seed in all its workers, they would otherwise renew at the same time, and a fork
    would copy the generator's state.
    """

    now: Callable[[], float] = time.time
    """The wall clock: seconds since the epoch."""
    elapsed: Callable[[], float] = find_steady_clock()
    """The clock that nobody sets: seconds since any moment, the same in all processes."""
    pause: Callable[[float], None] = time.sleep
    uniform: Uniform = random.SystemRandom().uniform
    start_thread: Callable[[Callable[[], None]], None] = start_daemon
    wait: Callable[[Future[Any], float], None] = wait_for
    announce: Callable[[events.Event], None] = events.announce
