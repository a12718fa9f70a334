"""The parser of requests, held to a parser of HTTP's whole grammar (h11)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import h11
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from botocore_conn_provider.endpoint.request import (
    LONGEST_BYTES,
    Asked,
    NotARequestError,
    parse_request,
)
from tests.thoroughness import examples

FRAMING = {b"content-length", b"transfer-encoding"}
WHOLE = b"GET /x HTTP/1.1\r\nHost: 127.0.0.1:1\r\nAuthorization: abc\r\n\r\n"
if TYPE_CHECKING:
    from collections.abc import Iterable

pieces = st.sampled_from(
    [
        b"GET ", b"POST ", b"get ", b"/x", b"/\x7f", b" ", b"\t", b" HTTP/1.1", b"\r\n",
        b" HTTP/1.0", b" HTTP/2", b"\r\n", b"\n", b"\r", b"Host: a", b"Host : a",
        b"Authorization: abc", b"A:", b"A: b c ", b": x", b"A\x00: b", b"A: \x00",
        b"A: \xe9", b" folded", b"Connection: close", b"Connection: keep-alive",
        b"Content-Length: 3", b"Transfer-Encoding: chunked", b"abc", b"\r\n\r\n",
    ]
)  # fmt: skip
broken = st.lists(pieces, max_size=12).map(b"".join)
likely = st.lists(pieces, max_size=6).map(
    lambda each: b"GET /x HTTP/1.1\r\nHost: a\r\n" + b"".join(each) + b"\r\n\r\n"
)


def parse_by_h11(read: bytes) -> h11.Request | None:
    """Return the request that it finds, None if it refuses or wants more."""
    other = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_BYTES)
    with contextlib.suppress(h11.RemoteProtocolError):
        other.receive_data(read)
        event = other.next_event()
        if isinstance(event, h11.Request):
            return event
    return None


def parse(read: bytes) -> Asked | None:
    with contextlib.suppress(NotARequestError):
        found = parse_request(read)
        return None if found is None else found[0]
    return None


def leave_framing_out(headers: Iterable[tuple[bytes, bytes]]) -> list[Any]:
    """Return the headers but for those of a body: h11 makes one of two that agree."""
    return [each for each in headers if each[0] not in FRAMING]


@settings(max_examples=examples(1500))
@given(read=broken | likely | st.binary(max_size=60))
@example(WHOLE)
@example(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"Content-Length: 3\r\n" * 2 + b"\r\n")
def test_what_is_read_is_what_http_says(read: bytes) -> None:
    ours = parse(read)
    if ours is None:
        return
    theirs = parse_by_h11(read)
    if theirs is None:
        # It refuses by what the rules of the endpoint refuse, too: they need one host.
        names = [name for name, _ in ours.headers]
        framed = FRAMING & set(names)
        assert names.count(b"host") != 1 or framed
        return
    assert (ours.method, ours.target) == (theirs.method, theirs.target)
    assert leave_framing_out(ours.headers) == leave_framing_out(theirs.headers)


@settings(max_examples=examples(300))
@given(cut=st.integers(0, len(WHOLE)))
def test_request_is_whole_at_its_end_and_not_before(cut: int) -> None:
    found = parse_request(WHOLE[:cut])
    assert (found is not None) == (cut == len(WHOLE))


def test_what_comes_behind_is_left() -> None:
    found = parse_request(WHOLE + b"GET /y")
    assert found is not None
    assert found[1] == len(WHOLE)


@pytest.mark.parametrize(
    "read",
    [
        b"\r\n" + WHOLE,
        b"\x16\x03\x01",
        b"a" * LONGEST_BYTES,
        b"GET /x HTTP/1.1\r\n" + b"A: b\r\n" * LONGEST_BYTES,
        b"GET /x HTTP/1.1\nHost: a\n\r\n\r\n",
        b"GET /x HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
        b"GET /x HTTP/1.1\r\nA : b\r\n\r\n",
        b"GET  /x HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused(read: bytes) -> None:
    with pytest.raises(NotARequestError):
        parse_request(read)


def test_slow_headers_cost_no_time() -> None:
    """A pattern that backtracks would take for ever on this one."""
    read = b"GET /x HTTP/1.1\r\nA: " + b"a " * 7000 + b"\x00\r\n\r\n"
    with pytest.raises(NotARequestError):
        parse_request(read)


@pytest.mark.parametrize(
    ("read", "keeps_open"),
    [
        (WHOLE, True),
        (WHOLE.replace(b"1.1\r", b"1.0\r"), False),
        (WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: Close\r\n\r\n"), False),
    ],
)
def test_client_says_whether_it_will_ask_again(
    read: bytes, *, keeps_open: bool
) -> None:
    found = parse_request(read)
    assert found is not None
    assert found[0].keeps_open == keeps_open


def test_request_shows_no_token() -> None:
    assert "abc" not in repr(parse_request(WHOLE))
