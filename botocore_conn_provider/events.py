"""Tell what the keeper does: to `logging`, and to callables that ask for it.

A record carries the same facts as structured extras (`conn_event`, `conn_id`,
`seconds_to_expiry`, …), so a log pipeline can count renewals without parsing
text. Nothing here holds a secret: errors of ours are fit for a log, and of other
errors only the type is told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal, NamedTuple

from botocore_conn_provider.errors import ConnProviderError

logger = logging.getLogger(__name__)

Kind = Literal[
    "renewal_started",
    "renewal_succeeded",
    "renewal_failed",
    "served_stale",
    "rejected",
    "store_hit",
    "lock_wait",
]

TEXTS: dict[Kind, tuple[int, str]] = {
    "renewal_started": (logging.DEBUG, "renewal started"),
    "renewal_succeeded": (logging.INFO, "new credentials"),
    "renewal_failed": (logging.DEBUG, "renewal failed"),
    "served_stale": (logging.DEBUG, "expired credentials are served"),
    "rejected": (logging.INFO, "credentials rejected by a service and dropped"),
    "store_hit": (logging.DEBUG, "credentials found in this machine's store"),
    "lock_wait": (logging.DEBUG, "waited for another process's renewal"),
}


class Event(NamedTuple):
    """One thing that happened to a connection's credentials."""

    kind: Kind
    conn_id: str
    seconds_to_expiry: float | None = None
    """Of the set in hand; negative past expiry, None with nothing in hand."""
    took_seconds: float | None = None
    error: str | None = None
    """What ended a renewal."""
    degraded: bool = False
    """Whether this event is a change to a worse state: it is logged as a WARNING."""


Listener = Callable[[Event], None]

# Replaced, never changed in place: an iteration needs no lock.
_listeners: tuple[Listener, ...] = ()


def add_listener(listener: Listener) -> None:
    """Call `listener` with every event, in the thread in which it happens.

    It should return soon: a caller may be waiting for the renewal.
    """
    global _listeners  # noqa: PLW0603 - the process's one list
    _listeners = (*_listeners, listener)


def remove_listener(listener: Listener) -> None:
    """Stop calling `listener`."""
    global _listeners  # noqa: PLW0603 - the process's one list
    _listeners = tuple(one for one in _listeners if one != listener)


def describe(error: BaseException) -> str:
    """Return what of `error` is fit for a log."""
    if isinstance(error, ConnProviderError):
        return f"{type(error).__name__}: {error}"
    return type(error).__name__


def announce(event: Event) -> None:
    """Log `event` and hand it to every listener."""
    level, text = TEXTS[event.kind]
    if event.degraded:
        level = logging.WARNING
    if logger.isEnabledFor(level):
        _log(level, text, event)
    for listener in _listeners:
        _tell(listener, event)


def _log(level: int, text: str, event: Event) -> None:
    extra = {"conn_event": event.kind, **event._asdict()}
    left = event.seconds_to_expiry
    shown = "nothing in hand" if left is None else f"{left:.0f} s to expiry"
    because = f" ({event.error})" if event.error else ""
    logger.log(
        level,
        "Connection '%s': %s%s, %s",
        event.conn_id,
        text,
        because,
        shown,
        extra=extra,
    )


def _tell(listener: Listener, event: Event) -> None:
    try:
        listener(event)
    except Exception as error:  # noqa: BLE001 - a broken gauge must not stop a renewal
        logger.warning("A listener failed on %s: %s", event.kind, type(error).__name__)
