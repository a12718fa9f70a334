"""Find a program's own handlers that see the calls of an exchange.

A handler may change what is asked for, so two sessions are told apart by theirs: by
the very objects, since no program can say what a function does.

Source: botocore.hooks and the events that botocore's clients emit.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.hooks import BaseEventHooks

HOSTS = ("botocore", "aiobotocore")
OPERATIONS = ("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity")
# What a client of STS emits from its creation to the answer.
EVENTS = (
    "creating-client-class",
    "creating-serializer",
    "provide-client-params",
    "before-parameter-build",
    "before-endpoint-resolution",
    "before-call",
    "request-created",
    "choose-signer",
    "before-sign",
    "before-send",
    "response-received",
    "before-parse",
    "needs-retry",
    "after-call",
    "after-call-error",
)
# Objects of two processes may lie at one address.
_PROCESS = os.urandom(8).hex()


def is_given(thing: Any) -> bool:
    """Return whether an object, a class or a function is neither botocore's nor ours."""
    if isinstance(thing, functools.partial):
        return is_given(thing.func)
    module = getattr(thing, "__module__", None) or type(thing).__module__
    return str(module).partition(".")[0] not in (*HOSTS, __name__.partition(".")[0])


def describe_handlers(events: BaseEventHooks | None) -> Iterator[tuple[str, str]]:
    """Yield a name and the identity of each handler of the program's own.

    It is one only for as long as `events` is held, because addresses are used again.
    """
    found = {id(each) for each in _list_handlers(events) if is_given(each)}
    if found:
        # Imported here: a start from the store loads no client.
        from botocore.handlers import BUILTIN_HANDLERS

        # Those that a library gives to every session tell none apart.
        found -= {id(each) for _, each, *_ in BUILTIN_HANDLERS}
    for number in sorted(found):
        yield f"handler {number}", _PROCESS


def _list_handlers(events: BaseEventHooks | None) -> Iterator[Any]:
    """Yield the handlers of an exchange's events, botocore's own included.

    Private, because what botocore offers can only emit them.
    """
    trie = getattr(getattr(events, "_emitter", events), "_handlers", None)
    if trie is not None:
        for event in EVENTS:
            for operation in OPERATIONS:
                yield from trie.prefix_search(f"{event}.sts.{operation}")
