"""Keep credentials fresh for clients that may not ask for hours.

A renewal begins with an ask. So the command asks too, and the next client is served at
once from memory, also when the source is down by then.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from botocore_conn_provider.cli.main import complain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore_conn_provider.cli.end_signals import EndSignals
    from botocore_conn_provider.endpoint.supply import Supply
    from botocore_conn_provider.events import Event

# How long to wait between two asks: a part of what is left, within these bounds.
PAUSE_PART, SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1 / 10, 1.0, 30.0


def keep_fresh(supply: Supply, signals: EndSignals) -> None:
    """Renew ahead for ever.

    Raises:
        EndedError: A signal has ended it.
    """
    while True:
        # A renewal that fails is told by `tell_failures`, and to clients who ask.
        with contextlib.suppress(Exception):
            supply.take()
        pause = (supply.find_seconds_left() or 0) * PAUSE_PART
        signals.sleep(min(max(pause, SHORTEST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS))


@contextlib.contextmanager
def tell_failures() -> Iterator[None]:
    """Say on standard error when renewals fail, and when they succeed again."""
    # Imported here: the first exchange comes first.
    from botocore_conn_provider.events import add_listener, remove_listener

    listener = build_listener()
    add_listener(listener)
    try:
        yield
    finally:
        remove_listener(listener)


def build_listener() -> Callable[[Event], None]:
    """Return a listener that does not repeat what it said last."""
    told: list[str] = []

    def listen(event: Event) -> None:
        if event.kind == "renewal_failed" and event.error not in told:
            told[:] = [str(event.error)]
            complain(f"the credentials were not renewed: {event.error}")
        elif event.kind == "renewal_succeeded" and told:
            told.clear()
            complain("the credentials are renewed again.")

    return listen
