"""One keeper per process and identity, whatever the number of sessions.

Thread safety: `_lock` protects both collections; a forked child gets a new lock. It is
re-entrant, because a signal handler may ask for credentials inside it.
Keepers in use are found by weak reference, so two sessions always share one. The
last few are kept alive besides: programs that make a session per task would
otherwise sign in for every task.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.exchange.flow import run_flow
from botocore_conn_provider.exchange.flows import create_flow
from botocore_conn_provider.fork import reset_in_children
from botocore_conn_provider.renewal.deferred_keeper import DeferredKeeper
from botocore_conn_provider.renewal.identity import Asker
from botocore_conn_provider.renewal.keeper import Keeper
from botocore_conn_provider.renewal.schedule import RenewalPolicy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from botocore_conn_provider.connection.environment import Snapshot
    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.exchange.flow import Flow
    from botocore_conn_provider.exchange.session_view import SessionView

IDLE_KEEPERS = 32


class Keepers:
    """The keepers of this process, by fingerprint."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._all: weakref.WeakValueDictionary[str, Keeper] = (
            weakref.WeakValueDictionary()
        )
        self._latest: deque[Keeper] = deque(maxlen=IDLE_KEEPERS)
        reset_in_children(self)

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

        Returns whether the request is worth signing again.
        """
        with self._lock:
            everyone = list(self._all.values())
        answers = [keeper.reject(access_key_id) for keeper in everyone]
        return any(answers)

    def part(self, fingerprint: str, keeper: Keeper | None) -> None:
        """Share a keeper no longer: its next credentials are for somebody else.

        Those who have it already go on with it, since their source is the same.
        """
        with self._lock:
            if keeper is not None and self._all.get(fingerprint) is keeper:
                del self._all[fingerprint]
                # Not a fingerprint, so nobody finds it; `reject` does.
                self._all[f"parted {id(keeper)}"] = keeper

    def forget(self) -> None:
        """Let go of the idle ones; those in use live on with their sessions."""
        with self._lock:
            self._latest.clear()

    def reset_after_fork(self) -> None:
        """Replace the lock in a forked child."""
        self._lock = threading.RLock()


keepers = Keepers()


def defer_keeper(settings: AwsSettings, view: SessionView) -> DeferredKeeper:
    """Return what finds the keeper of the connection's role at its first use."""
    return DeferredKeeper(
        lambda: share_keeper(settings, view),
        conn_id=settings.conn_id,
        policy=RenewalPolicy.from_settings(settings.own),
    )


def share_keeper(settings: AwsSettings, view: SessionView) -> Keeper:
    """Return this process's keeper of the connection's role, for who asks.

    Finds out who asks first, which may ask the network where the base identity is
    only known by asking; makes no exchange.

    Raises:
        ConnProviderError: The base identity cannot be had.
    """
    flow: Flow[Any] = create_flow(settings, view)
    # What only one session may have is not stored.
    is_shared = getattr(flow, "is_shared", True)
    store = _find_store(settings, view.snapshot) if is_shared else None
    asker = Asker(settings, flow, store)

    def make_keeper() -> Keeper:
        keeper = Keeper(
            lambda repeat: run_flow(flow, repeat),
            conn_id=settings.conn_id,
            policy=RenewalPolicy.from_settings(settings.own),
            store=asker,
        )
        # Weak, because the keeper holds the asker.
        known = weakref.ref(keeper)
        asker.on_change = lambda: keepers.part(asker.identity, known())
        return keeper

    return keepers.share(asker.identity, make_keeper)


def _find_store(settings: AwsSettings, snapshot: Snapshot) -> Path | None:
    choice = settings.own.store
    if choice is None:
        return None
    # Imported here: the store is off unless it is asked for.
    from botocore_conn_provider.renewal.store.machine_store import find_store

    return find_store(choice, snapshot)
