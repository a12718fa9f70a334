"""When the attempt that runs here has to end: whatever it waits for ends by then.

The renewal says so, and what bounds a sign-in obeys (`federation.deadline`). It stands
apart from both, so that an exchange without a sign-in loads no deadline.
"""

from __future__ import annotations

import contextlib
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ends_at: ContextVar[float | None] = ContextVar("attempt_end", default=None)


@contextlib.contextmanager
def ending_in(seconds: float) -> Iterator[None]:
    """Have all bounded work inside the block end in `seconds`, or earlier."""
    entered = _ends_at.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends_at.reset(entered)


def find_attempt_end() -> float | None:
    """Return when this attempt ends, on Python's monotonic clock; None for no attempt."""
    return _ends_at.get()
