"""Listeners that threads add and remove at the same time."""

from __future__ import annotations

import threading

from botocore_conn_provider import events
from botocore_conn_provider.events import Event, add_listener, remove_listener

HEARD = Event("renewal_succeeded", "aws_default")


class Slow:
    """A listener that others are added beside while it is looked at."""

    def __init__(self) -> None:
        self.heard: list[Event] = []
        self._beside = threading.Thread(target=add_listener, args=[self.heard.append])

    def __call__(self, event: Event) -> None:
        """Hear nothing."""

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        if not self._beside.is_alive() and self._beside.ident is None:
            self._beside.start()
            self._beside.join(0.5)
        return self is other

    def end(self) -> None:
        self._beside.join()


def test_listener_that_is_added_while_another_one_goes_is_not_lost() -> None:
    slow = Slow()
    add_listener(slow)
    try:
        remove_listener(slow)
        slow.end()
        events.announce(HEARD)
        assert slow.heard == [HEARD]
    finally:
        remove_listener(slow.heard.append)
