"""One keeper per process and identity, whatever the number of sessions.

What guards what: `_lock` guards both collections; a forked child gets a new one.
Keepers in use are found by weak reference, so two sessions always share one. The
last few are kept alive besides: programs that make a session per task would
otherwise sign in for every task.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING

from botocore_conn_provider.keeper.fork import remake_in_children

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore_conn_provider.keeper.keeper import Keeper

IDLE_KEEPERS = 32


class Keepers:
    """The keepers of this process, by fingerprint."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: weakref.WeakValueDictionary[str, Keeper] = (
            weakref.WeakValueDictionary()
        )
        self._latest: deque[Keeper] = deque(maxlen=IDLE_KEEPERS)
        remake_in_children(self)

    def share(self, fingerprint: str, make: Callable[[], Keeper]) -> Keeper:
        """Return the keeper of that identity, made by `make` if there is none.

        `make` must be quick and fetch nothing: others wait for it.
        """
        with self._lock:
            keeper = self._all.get(fingerprint)
            if keeper is None:
                keeper = self._all[fingerprint] = make()
            if keeper in self._latest:
                self._latest.remove(keeper)
            self._latest.append(keeper)
            return keeper

    def reject(self, access_key_id: str) -> bool:
        """Drop the set of that id wherever it is kept.

        Returns whether the request is worth signing anew.
        """
        with self._lock:
            everyone = list(self._all.values())
        answers = [keeper.reject(access_key_id) for keeper in everyone]
        return any(answers)

    def forget(self) -> None:
        """Let go of the idle ones; those in use live on with their sessions."""
        with self._lock:
            self._latest.clear()

    def remake_after_fork(self) -> None:
        """Replace the lock in a forked child."""
        self._lock = threading.Lock()


keepers = Keepers()
