"""Wrap the methods of a client that presign, so that their credentials last.

botocore puts these methods on the class of a client when it makes that, in handlers of
an event of the session. Ours is the last of them. What is done for a URL is in
`presigned_urls`, which the first of them loads.
"""

from __future__ import annotations

import functools
from inspect import iscoroutine, iscoroutinefunction
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.sessions.credentials import patience_left

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence

    from botocore.hooks import BaseEventHooks

    from botocore_conn_provider.renewal.schedule import Patience

# botocore's methods: where `ExpiresIn` stands after `self`, and how long a URL lives
# without it. Written down, because to ask the functions for it delays each start.
PRESIGNERS: dict[str, tuple[int | None, float]] = {
    "generate_presigned_url": (2, 3600),
    "generate_presigned_post": (4, 3600),
    "generate_db_auth_token": (None, 900),
    "generate_db_connect_auth_token": (2, 900),
    "generate_db_connect_admin_auth_token": (2, 900),
}
HANDLER_ID = "botocore-conn-presigners"


def register_presigners(events: BaseEventHooks) -> None:
    """Wrap the presigners of the clients that are made with these events.

    Calling it again has no effect.
    """
    # Last, so that botocore's own handlers have put them there.
    events.register_last("creating-client-class", _wrap_all, unique_id=HANDLER_ID)


def _wrap_all(class_attributes: dict[str, Any], **_: Any) -> None:
    for name in PRESIGNERS:
        original = class_attributes.get(name)
        if original is None:
            continue
        wrap = _wrap_async if iscoroutinefunction(original) else _wrap
        class_attributes[name] = wrap(name, original)


def _wrap(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def presign(self: Any, *args: Any, **kwargs: Any) -> Any:
        # Imported here: few clients presign.
        from botocore_conn_provider.sessions.presigned_urls import (
            prepare,
            prepare_async,
        )

        try:
            asked = _read(name, args, kwargs)
            patience_left.set(prepare(self, name, **asked))
            made = original(self, *args, **kwargs)
            if iscoroutine(made):  # of a presigner that a program wrapped plainly
                return _follow(prepare_async(self, name, **asked), made)
            return made
        finally:
            patience_left.set(None)
            del args, kwargs  # a key of S3's, maybe, and a traceback shows this frame

    return presign


def _wrap_async(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def presign(self: Any, *args: Any, **kwargs: Any) -> Any:
        # Imported here: few clients presign.
        from botocore_conn_provider.sessions.presigned_urls import prepare_async

        try:
            patience_left.set(
                await prepare_async(self, name, **_read(name, args, kwargs))
            )
            return await original(self, *args, **kwargs)
        finally:
            patience_left.set(None)
            del args, kwargs  # as above

    return presign


async def _follow(
    prepared: Awaitable[Patience | None], made: Coroutine[Any, Any, Any]
) -> Any:
    """Await a URL whose signing has not begun, once its credentials last."""
    try:
        patience_left.set(await prepared)
        return await made
    finally:
        patience_left.set(None)
        made.close()


def _read(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return of the arguments what decides how long the URL can live."""
    place, usual = PRESIGNERS[name]
    asked = kwargs.get("ExpiresIn", usual)
    if place is not None and place < len(args):
        asked = args[place]
    params = args[1] if len(args) > 1 else kwargs.get("Params")
    bucket = params.get("Bucket") if isinstance(params, dict) else None
    return {"asked": asked, "bucket": bucket if isinstance(bucket, str) else ""}
