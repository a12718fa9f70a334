"""Report what happens to a connection's credentials, to logs and to listeners.

Each event becomes a record of the logger `botocore_conn_provider.events`, with the same
facts as structured extras (the kind as `conn_event`, then `conn_id`,
`seconds_to_expiry`, …), so a log pipeline can count renewals without parsing text. No
event contains a secret: it has the text of our own errors, and only the type of others.

    from botocore_conn_provider.events import add_listener

    add_listener(lambda event: print(event.kind, event.seconds_to_expiry))

| kind | when |
|---|---|
| `renewal_started` | an attempt to renew begins |
| `renewal_succeeded` | it brought credentials, from their source or from the store |
| `renewal_failed` | it failed |
| `served_stale` | it failed, and expired credentials are served (static stability) |
| `rejected` | a service rejected credentials as expired, and they were dropped |
| `store_hit` | the credentials were found in this machine's store |
| `lock_wait` | another process's renewal was waited for |
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Literal

from botocore_conn_provider.errors import ConnProviderError
from botocore_conn_provider.fork import ProcessLock
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Event", "Kind", "add_listener", "remove_listener"]

logger = logging.getLogger(__name__)

# The module's docstring says what each one means.
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


class Event(Value):
    """One thing that happened to a connection's credentials.

    Attributes:
        kind: What happened.
        conn_id: The connection.
        seconds_to_expiry: Until the current credentials expire, in seconds; negative
            past expiry, None if there are none.
        took_seconds: How long it took, for `renewal_succeeded` and `lock_wait`; else
            None.
        error: What ended the renewal, for `renewal_failed` and `served_stale`; else
            None. It contains no secret.
        degraded: Whether the state got worse with this event. If so, it is logged as
            a WARNING.
    """

    kind: Kind
    conn_id: str
    seconds_to_expiry: float | None = None
    took_seconds: float | None = None
    error: str | None = None
    degraded: bool = False


# Replaced, never changed in place: an iteration needs no lock. Replacing it does, or one
# of two threads would lose.
_lock = ProcessLock()
_listeners: tuple[Callable[[Event], None], ...] = ()


def add_listener(listener: Callable[[Event], None]) -> None:
    """Call `listener` with every event of this process from now on.

    It is called in the thread in which the event happens and should return soon,
    because a caller may be waiting for the renewal. An exception that it raises is
    logged by its type and stops nothing.
    """
    global _listeners  # noqa: PLW0603 - the process's one list
    with _lock.own:
        _listeners = (*_listeners, listener)


def remove_listener(listener: Callable[[Event], None]) -> None:
    """Stop calling `listener`. Does nothing if it was never added."""
    global _listeners  # noqa: PLW0603 - the process's one list
    with _lock.own:
        _listeners = tuple(one for one in _listeners if one != listener)


def describe(error: BaseException) -> str:
    """Return the part of `error` that may be logged."""
    if isinstance(error, ConnProviderError):
        return f"{type(error).__name__}: {error}"
    return type(error).__name__


def announce(event: Event) -> None:
    """Log `event` and hand it to every listener."""
    level, text = TEXTS[event.kind]
    if event.degraded:
        level = logging.WARNING
    # A filter or handler of the program's that fails must not stop a renewal.
    with contextlib.suppress(Exception):
        if logger.isEnabledFor(level):
            _log(level, text, event)
    for listener in _listeners:
        _tell(listener, event)


def _log(level: int, text: str, event: Event) -> None:
    extra = {"conn_event": event.kind, **event._asdict()}
    left = event.seconds_to_expiry
    shown = "no credentials" if left is None else f"{left:.0f} s to expiry"
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


def _tell(listener: Callable[[Event], None], event: Event) -> None:
    try:
        listener(event)
    except Exception as error:  # noqa: BLE001 - a listener must not stop a renewal
        name = type(error).__name__
        with contextlib.suppress(Exception):
            logger.warning("A listener failed on %s: %s", event.kind, name)
