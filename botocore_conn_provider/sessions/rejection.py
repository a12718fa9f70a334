"""Drop a set that a service says has expired, before botocore tries again.

Two handlers on a session's events. When a request has been signed, the id of the
key that signed it is noted in the request's context: a late rejection of the old set
must not drop the new one. When an answer names an expired or invalid token, that
very credentials are dropped and the request is signed again, once, whatever the retry mode and
also where one attempt only is allowed: the request was never carried out.

A HEAD answer has no body and so names no code: it is not seen here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.awsrequest import AWSPreparedRequest, AWSRequest
    from botocore.hooks import BaseEventHooks

REJECTIONS = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidToken"})

AT_ONCE = 0
# One for each event: botocore takes the second use of an id for a repetition.
NOTE_ID, WATCH_ID = "botocore-conn-signer", "botocore-conn-rejection"
SIGNED_BY = "botocore_conn_signed_by"
SIGNED_AGAIN = "botocore_conn_signed_again"


def register_rejection(events: BaseEventHooks, reject: Callable[[str], bool]) -> None:
    """Watch the answers to requests of the clients that `events` will serve.

    Calling it again has no effect.

    Args:
        events: A session's or a client's.
        reject: Is given the rejected access key id; drops that set and says whether
            another is to be had: `keepers.reject`.
    """

    def watch(
        response: tuple[Any, dict[str, Any]] | None,
        request_dict: dict[str, Any],
        **_: Any,
    ) -> int | None:
        return _answer(response, request_dict["context"], reject)

    # Last, so that the signature is there.
    events.register_last("request-created", _note_signer, unique_id=NOTE_ID)
    retry: Callable[..., Any] = watch  # the stubs know of no answer from a handler
    events.register("needs-retry", retry, unique_id=WATCH_ID)


def unregister_rejection(events: BaseEventHooks) -> None:
    """Stop watching; clients that exist already go on."""
    events.unregister("request-created", unique_id=NOTE_ID)
    events.unregister("needs-retry", unique_id=WATCH_ID)


def _note_signer(request: AWSRequest, **_: Any) -> None:
    request.context[SIGNED_BY] = find_signer(request)


def find_signer(request: AWSRequest | AWSPreparedRequest) -> str | None:
    """Return the id of the key that signed a request's header; None without one."""
    return _find_key_id(_find_header(request))


def _find_key_id(header: str) -> str | None:
    """Return whose signature it is: in version 4 a field says it, in S3's 2 the start.

    No regular expression: each start would compile it.
    """
    bare = header.removeprefix("AWS ")
    if bare != header:
        return bare.partition(":")[0] or None
    return header.partition("Credential=")[2].partition("/")[0] or None


def _find_header(request: AWSRequest | AWSPreparedRequest) -> str:
    header: Any = request.headers.get("Authorization", "")
    return header.decode("latin-1") if isinstance(header, bytes) else str(header)


def _answer(
    response: tuple[Any, dict[str, Any]] | None,
    context: dict[str, Any],
    reject: Callable[[str], bool],
) -> int | None:
    """Return the delay of one more attempt, None for whatever botocore decides."""
    code = response[1].get("Error", {}).get("Code") if response else None
    signer = context.get(SIGNED_BY)
    if code not in REJECTIONS or not signer or SIGNED_AGAIN in context:
        return None
    if not reject(signer):
        return None
    context[SIGNED_AGAIN] = True
    return AT_ONCE
