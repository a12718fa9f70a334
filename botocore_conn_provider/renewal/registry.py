"""One keeper per process and identity, whatever the number of sessions.

Thread safety: `_lock` protects both collections; a forked child gets a new lock. It is
re-entrant, because a signal handler may ask for credentials inside it.
Keepers in use are found by weak reference, so two sessions always share one. What a
keeper holds is kept for as long as it can serve, although no session uses it: programs
that make a session per task would otherwise sign in for every task. Not the keeper
itself, because that renews by the session that it was made for, with all its models.
"""

from __future__ import annotations

import copy
import threading
import weakref
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
    from botocore_conn_provider.renewal.state import KeeperState

    Make = Callable[["KeeperState | None"], Keeper]


class Keepers:
    """The keepers of this process and what they hold, by fingerprint."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._all: weakref.WeakValueDictionary[str, Keeper] = (
            weakref.WeakValueDictionary()
        )
        self._states: dict[str, KeeperState] = {}
        reset_in_children(self)

    def share(self, fingerprint: str, make: Make, *, is_kept: bool = True) -> Keeper:
        """Return the keeper of that identity, made by `make` if there is none.

        Args:
            fingerprint: Of the identity.
            make: Is given what a former keeper held. It must be quick and fetch
                nothing: others wait for it.
            is_kept: Whether what it holds is kept for a later session: nobody would
                ever find what only this session may have.
        """
        with self._lock:
            keeper = self._all.get(fingerprint)
            if keeper is None:
                former = self._states.get(fingerprint)
                # A copy, because a late answer to the former one is not for this one.
                keeper = make(copy.copy(former))
                self._all[fingerprint] = keeper
            self._drop_worthless()
            if is_kept:
                self._states[fingerprint] = keeper.state
            return keeper

    def _drop_worthless(self) -> None:
        """Let go of what can serve no one, such as expired credentials."""
        self._states = {
            fingerprint: state
            for fingerprint, state in self._states.items()
            if fingerprint in self._all or not state.is_worthless()
        }

    def reject(self, access_key_id: str) -> bool:
        """Drop the set of that id wherever it is kept.

        Returns whether the request is worth signing again.
        """
        with self._lock:
            everyone = list(self._all.values())
        answers = [keeper.reject(access_key_id) for keeper in everyone]
        return any(answers)

    def part(self, fingerprint: str, state: KeeperState) -> None:
        """Share it no longer: the next credentials are for somebody else.

        Those who have its keeper already go on with it, since their source is the same.
        """
        with self._lock:
            if self._states.get(fingerprint) is state:
                del self._states[fingerprint]
            keeper = self._all.get(fingerprint)
            if keeper is not None and keeper.state is state:
                del self._all[fingerprint]
                # Not a fingerprint, so nobody finds it; `reject` does.
                self._all[f"parted {id(keeper)}"] = keeper

    def forget(self) -> None:
        """Let go of what no session uses; keepers in use live on with theirs."""
        with self._lock:
            self._states.clear()

    def reset_after_fork(self) -> None:
        """Replace the lock in a forked child, and renew at other times than others."""
        self._lock = threading.RLock()
        for state in self._states.values():
            state.plan_again()


keepers = Keepers()


def defer_keeper(settings: AwsSettings, view: SessionView) -> DeferredKeeper:
    """Return what finds the keeper of the connection's role at its first use."""
    return DeferredKeeper(
        lambda: share_keeper(settings, view),
        conn_id=settings.conn_id,
        policy=_plan_first(settings, view.snapshot),
        prepare=lambda: _prepare(settings, view),
    )


def share_keeper(settings: AwsSettings, view: SessionView) -> Keeper:
    """Return this process's keeper of the connection's role, for who asks.

    Finds out who asks first, which may ask the network where the base identity is
    only known by asking; makes no exchange.

    Raises:
        ConnProviderError: The base identity cannot be had.
    """
    flow: Flow[Any] = create_flow(settings, view.describe_handlers_once())
    # What only one session may have is neither stored nor kept.
    is_shared = flow.is_shared
    store = _find_store(settings, view.snapshot) if is_shared else None
    asker = Asker(settings, flow, store)
    identity = asker.identity

    def make_keeper(state: KeeperState | None) -> Keeper:
        keeper = Keeper(
            lambda repeat: run_flow(flow, repeat),
            conn_id=settings.conn_id,
            policy=_plan(settings, store),
            store=asker,
            state=state,
        )
        # The state and not the keeper, which holds the asker.
        held = keeper.state
        asker.on_change = lambda: keepers.part(identity, held)
        return keeper

    return keepers.share(identity, make_keeper, is_kept=is_shared)


def _prepare(settings: AwsSettings, view: SessionView) -> None:
    """Load what the exchange needs, unless the store may make it needless."""
    if settings.role is not None and settings.own.store is None:
        # Imported here: a start from the store asks no STS.
        from botocore_conn_provider.exchange.sts import load_model

        load_model(view)


def _plan_first(settings: AwsSettings, snapshot: Snapshot) -> RenewalPolicy:
    """Return the policy before it is known who asks."""
    is_spread = settings.own.start_spread_seconds > 0
    return _plan(settings, _find_store(settings, snapshot) if is_spread else None)


def _plan(settings: AwsSettings, store: Path | None) -> RenewalPolicy:
    """Return the policy of the settings, with this node's part of the start's spread."""
    policy = RenewalPolicy.from_settings(settings.own)
    spread = settings.own.start_spread_seconds
    if not spread or store is None:
        return policy
    # Imported here: a start that is not spread does without.
    from botocore_conn_provider.renewal.start_spread import find_start_delay

    delay = find_start_delay(spread, conn_id=settings.conn_id, store=store)
    return policy._replace(start_delay_seconds=delay)


def _find_store(settings: AwsSettings, snapshot: Snapshot) -> Path | None:
    choice = settings.own.store
    if choice is None:
        return None
    # Imported here: the store is off unless it is asked for.
    from botocore_conn_provider.renewal.store.machine_store import find_store

    return find_store(choice, snapshot)
