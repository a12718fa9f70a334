"""Read an answer under limits: in time, in size, and in what it unpacks to.

requests unpacks for us without a limit, so a small answer could take gigabytes.
Here the packed bytes are read and unpacked by hand, as far as the limit.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.federation.saml.explanation import Explanation

if TYPE_CHECKING:
    import requests

    from botocore_conn_provider.federation.deadline import Deadline

# STS takes 100,000 characters of assertion; a page around it adds a few
# thousand. More than this, parsed, would take more memory than a login may.
LARGEST_PAGE_BYTES = 512 * 1024
CHUNK_BYTES = 16 * 1024
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class UnreadableAnswerError(Exception):
    """An answer that breaks a limit or its own encoding. Never leaves the package."""

    def __init__(self, explanation: Explanation) -> None:
        super().__init__(explanation.cause)
        self.explanation = explanation


def read_body(response: requests.Response, deadline: Deadline, origin: str) -> bytes:
    """Return the unpacked body.

    Raises:
        UnreadableAnswerError: It is too large, or packed in a way not asked for.
        DeadlineExceededError: The time is over.
    """
    unpack = _find_unpacker(response.headers.get("Content-Encoding", ""), origin)
    body = bytearray()
    for chunk in response.raw.stream(CHUNK_BYTES, decode_content=False):
        deadline.require_time()
        room = LARGEST_PAGE_BYTES + 1 - len(body)
        try:
            body += unpack.decompress(chunk, room) if unpack else chunk
        except zlib.error:
            raise UnreadableAnswerError(_explain_packing(origin)) from None
        if len(body) > LARGEST_PAGE_BYTES:
            raise UnreadableAnswerError(_explain_size(origin))
    if unpack and body and not unpack.eof:
        raise UnreadableAnswerError(_explain_packing(origin))
    return bytes(body)


def _find_unpacker(encoding: str, origin: str) -> Any:
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return None
    if name in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(GZIP_OR_ZLIB)
    raise UnreadableAnswerError(_explain_packing(origin))


def _explain_size(origin: str) -> Explanation:
    limit = LARGEST_PAGE_BYTES // 1024
    cause = (
        f"The answer of {origin} is larger than {limit} KiB, which no sign-in page is."
    )
    return Explanation(
        cause, "Check that 'idp_url' is the address of the sign-in page."
    )


def _explain_packing(origin: str) -> Explanation:
    cause = f"The answer of {origin} is packed in a way that cannot be unpacked."
    hint = (
        "Take Accept-Encoding out of 'idp_request_kwargs.headers'; gzip is asked for."
    )
    return Explanation(cause, hint)
