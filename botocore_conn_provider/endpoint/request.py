"""Read one HTTP request: a line and headers, which is all that an AWS SDK sends here.

Our own parser, because so little is read: no body, no chunks, no continued lines, no
bare line feeds. What a request may also be is refused, so there is nothing to misread; a
test holds this parser to one of HTTP's whole grammar.

Source: RFC 9112, sections 2.2, 3 and 5.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

END = b"\r\n\r\n"
# A request is a line and a dozen headers; the longest of them is the token.
LONGEST_BYTES = 16 * 1024
LINE = re.compile(rb"([A-Z]{1,16}) ([!-~]{1,2048}) HTTP/1\.([01])")
HEADER = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):"
    rb"[ \t]*((?:[!-~\x80-\xff](?:[ \t]*[!-~\x80-\xff])*)?)[ \t]*"
)


class NotARequestError(ValueError):
    """What was read is no request that we answer, and no beginning of one."""


class Asked(Value):
    """A whole request. Names of headers are in lower case."""

    method: bytes
    target: bytes
    headers: Sequence[tuple[bytes, bytes]]
    keeps_open: bool
    """Whether the client may ask again by the same connection."""

    def __repr__(self) -> str:  # the token is in it
        return "Asked(…)"


def parse_request(read: bytes) -> tuple[Asked, int] | None:
    """Return the request that `read` begins with, and its length; None if more is to come.

    Raises:
        NotARequestError: It begins with something else.
    """
    if not read[:1].isalpha():
        if read:
            raise NotARequestError
        return None
    end = read.find(END, 0, LONGEST_BYTES)
    if end < 0:
        if len(read) >= LONGEST_BYTES:
            raise NotARequestError
        return None
    first, *rest = read[:end].split(b"\r\n")
    line = LINE.fullmatch(first)
    found = [HEADER.fullmatch(each) for each in rest]
    if line is None or None in found:
        raise NotARequestError
    headers = [(each[1].lower(), each[2]) for each in found if each is not None]
    keeps_open = line[3] == b"1" and not any(
        name == b"connection" and b"close" in value.lower() for name, value in headers
    )
    return Asked(line[1], line[2], headers, keeps_open), end + len(END)
