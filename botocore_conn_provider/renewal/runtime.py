"""Hold what the keeper takes from outside: clocks, chance, threads, listeners.

The one place that names the real ones. Two clocks, because expiry is a matter of
the calendar (a laptop that slept must notice) and waiting is not (a clock that is
set back must not make a remembered error last for hours).
"""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from botocore_conn_provider import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore_conn_provider.renewal.schedule import Uniform


def start_daemon(work: Callable[[], None]) -> None:
    """Run `work` in a thread that does not hold up the interpreter's exit.

    Raises:
        RuntimeError: No thread can be started, at shutdown for one.
    """
    threading.Thread(target=work, name="botocore-conn-renewal", daemon=True).start()


class Runtime(NamedTuple):
    """The world outside the keeper.

    Chance comes from the system: a program that seeds `random` alike in all its
    workers would make them renew together, and a fork would copy the state.
    """

    now: Callable[[], float] = time.time
    """Seconds since the epoch."""
    elapsed: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    uniform: Uniform = random.SystemRandom().uniform
    start_thread: Callable[[Callable[[], None]], None] = start_daemon
    announce: Callable[[events.Event], None] = events.announce
