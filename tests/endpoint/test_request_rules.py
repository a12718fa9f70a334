"""Which requests get the credentials: the judgement alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botocore_conn_provider.endpoint.request_rules import Rules
from botocore_conn_provider.secret import Secret
from tests.thoroughness import examples

RULES = Rules(4321, Secret("/the/path"), Secret("the-token"))
HOST = (b"host", b"127.0.0.1:4321")
TOKEN = (b"authorization", b"the-token")
texts = st.binary(max_size=20)


def test_who_shows_the_token_is_answered() -> None:
    assert RULES.judge(b"GET", b"/the/path", [HOST, TOKEN]) is None


def test_common_runtime_that_leaves_out_the_port_is_answered() -> None:
    assert RULES.judge(b"GET", b"/the/path", [(b"host", b"127.0.0.1"), TOKEN]) is None


@pytest.mark.parametrize(
    ("method", "target", "headers", "status"),
    [
        (b"POST", b"/the/path", [HOST, TOKEN], 405),
        (b"HEAD", b"/the/path", [HOST, TOKEN], 405),
        (b"OPTIONS", b"/the/path", [HOST, TOKEN], 405),
        (b"GET", b"/the/path", [TOKEN], 403),
        (b"GET", b"/the/path", [HOST, HOST, TOKEN], 403),
        (b"GET", b"/the/path", [(b"host", b"evil.example:4321"), TOKEN], 403),
        (b"GET", b"/the/path", [(b"host", b"localhost:4321"), TOKEN], 403),
        (b"GET", b"/the/path", [(b"host", b"127.0.0.1:4322"), TOKEN], 403),
        (b"GET", b"/the/path", [HOST, TOKEN, (b"origin", b"http://evil.example")], 403),
        (b"GET", b"/the/path", [HOST, TOKEN, (b"origin", b"null")], 403),
        (b"GET", b"/the/path", [HOST, TOKEN, (b"x-forwarded-for", b"10.0.0.1")], 403),
        (b"GET", b"/the/path", [HOST, TOKEN, (b"forwarded", b"for=10.0.0.1")], 403),
        (b"GET", b"/the/path", [HOST, TOKEN, (b"sec-fetch-site", b"none")], 403),
        (b"GET", b"/the/path", [HOST, TOKEN, (b"content-length", b"3")], 400),
        (b"GET", b"/the/path", [HOST, TOKEN, (b"transfer-encoding", b"chunked")], 400),
        (b"GET", b"/", [HOST, TOKEN], 404),
        (b"GET", b"/the/path/", [HOST, TOKEN], 404),
        (b"GET", b"/the/path?", [HOST, TOKEN], 404),
        (b"GET", b"http://127.0.0.1:4321/the/path", [HOST, TOKEN], 404),
        (b"GET", b"/the/path", [HOST], 401),
        (b"GET", b"/the/path", [HOST, TOKEN, TOKEN], 401),
        (b"GET", b"/the/path", [HOST, (b"authorization", b"")], 401),
        (b"GET", b"/the/path", [HOST, (b"authorization", b"the-token ")], 401),
        (b"GET", b"/the/path", [HOST, (b"authorization", b"Bearer the-token")], 401),
        (b"GET", b"/the/path", [HOST, (b"authorization", b"the-toke\xc3\xa9")], 401),
    ],
)
def test_others_are_denied(
    method: bytes, target: bytes, headers: list[tuple[bytes, bytes]], status: int
) -> None:
    denial = RULES.judge(method, target, headers)
    assert denial is not None
    assert denial.status == status


@settings(max_examples=examples(300))
@given(
    method=st.sampled_from([b"GET", b"POST"]) | texts,
    target=st.sampled_from([b"/the/path", b"/"]) | texts,
    headers=st.lists(
        st.tuples(st.sampled_from([b"host", b"authorization", b"origin", b"x"]), texts)
        | st.just(HOST)
    ),
)
def test_nobody_is_answered_without_the_token(
    method: bytes, target: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    assert RULES.judge(method, target, headers) is not None


@pytest.mark.parametrize("headers", [[], [(b"host", b"evil.example")]])
def test_health_is_told_to_this_host_only(headers: list[tuple[bytes, bytes]]) -> None:
    assert RULES.judge(b"GET", b"/healthz", [HOST]) is None
    assert RULES.judge(b"GET", b"/healthz", headers) is not None


def test_no_part_of_the_rules_is_shown() -> None:
    assert "the-token" not in repr(RULES)
    assert "/the/path" not in repr(RULES)
