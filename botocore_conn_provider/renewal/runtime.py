"""Everything that the keeper uses from outside, for tests to replace.

That is clocks, random numbers, threads and listeners. There are two clocks. Expiry
needs the wall clock, because a laptop that was asleep must notice that time has passed.
Waiting needs the monotonic one, because an error must not be remembered for hours after
the wall clock was set back.
"""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

from botocore_conn_provider import events
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore_conn_provider.renewal.schedule import Uniform


def start_daemon(work: Callable[[], None]) -> None:
    """Run `work` in a daemon thread, which does not delay the interpreter's exit.

    Raises:
        RuntimeError: No thread can be started, for example at shutdown.
    """
    threading.Thread(target=work, name="botocore-conn-renewal", daemon=True).start()


class Runtime(Value):
    """The functions that the keeper uses from outside.

    Random numbers come from the operating system. If a program gives `random` the same
    seed in all its workers, they would otherwise renew at the same time, and a fork
    would copy the generator's state.
    """

    now: Callable[[], float] = time.time
    """Seconds since the epoch."""
    elapsed: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    uniform: Uniform = random.SystemRandom().uniform
    start_thread: Callable[[Callable[[], None]], None] = start_daemon
    announce: Callable[[events.Event], None] = events.announce
