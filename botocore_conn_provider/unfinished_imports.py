"""Let no process fork while another thread imports a module of ours.

Python locks a module while it is imported, and a forked child inherits the lock as that
other thread held it: the child's own import would never end. Programs import botocore
before they have threads, so they are safe; what is ours is imported by the first session
or client, which may be a thread's. So a fork first waits for such an import.

Loaded by the start-up hook, and so it imports what each interpreter has loaded.
"""

import os
import sys
import time
from _thread import get_ident

PACKAGE = "botocore_conn_provider"
# An import takes some hundredths. It takes longer than this if it waits for something
# that the forking thread has, and then waiting for it would never end.
# Counted, because a test may have stopped the clock.
MOST_PAUSES, PAUSE_SECONDS = 5000, 0.001


def wait_for_others() -> None:
    """Return when no other thread imports a module of ours, or after 5 seconds."""
    for _ in range(MOST_PAUSES):
        if not is_unfinished():
            break
        time.sleep(PAUSE_SECONDS)


def is_unfinished() -> bool:
    """Return whether another thread imports a module of ours."""
    # Python has no public way to see these locks. Where they are somewhere else, a fork
    # waits for nothing; a test of forks notices.
    locks = getattr(sys.modules.get("_frozen_importlib"), "_module_locks", {})
    return any(
        name.partition(".")[0] == PACKAGE and _is_anothers(reference())
        for name, reference in list(locks.items())
    )


def _is_anothers(lock: object) -> bool:
    """Return whether this lock of a module is in use, and not by this thread."""
    return lock is not None and getattr(lock, "owner", None) != get_ident()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=wait_for_others)
