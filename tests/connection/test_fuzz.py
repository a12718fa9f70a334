"""Any text gives a connection or our error, with work in proportion to its size."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from botocore_conn_provider.connection.extra import KNOWN_FIELDS
from botocore_conn_provider.connection.record import Connection
from botocore_conn_provider.errors import InvalidConnectionError
from tests.thoroughness import examples

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST = 64 * 1024
SMALLER = 8 * 1024
# 8 is the ratio of the sizes; a quadratic crawl would show as 64.
MOST_WORK = 16

quick = settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)

any_text = st.text(st.characters(codec=None, exclude_categories=()), max_size=200)
pieces = st.sampled_from([
    *"{}[]:/?#@&=+%,\"' \t\n\\",
    "aws", "://", "AKIA", "%2F", "%FF", "%", "%zz", "\ufeff", "\ud800", "\\ud800",
    "1e999", "9" * 5000, "NaN", "null", "true", "-0", "[[[[", '{"a":', "::1", "\x00",
    "__extra__=", "role_arn=", "\uff0f", "host", ":65536",
])  # fmt: skip
names = st.sampled_from([*KNOWN_FIELDS, "sts", "sign", "proxies", "idp_url", "x"])
leaves = st.none() | st.booleans() | st.integers() | st.floats() | any_text
values = st.recursive(
    leaves,
    lambda each: (
        st.lists(each, max_size=4) | st.dictionaries(names | any_text, each, max_size=6)
    ),
    max_leaves=20,
)
extras = st.dictionaries(names, values, max_size=8)


def read(text: str) -> Connection | None:
    """Read the text; None if it is refused."""
    try:
        return Connection.parse(text)
    except InvalidConnectionError as error:
        judge(error)
        return None


def judge(error: InvalidConnectionError) -> None:
    assert len(str(error)) < 1500
    assert str(error).isprintable()


@quick
@given(any_text | any_text.map("aws://{}".format) | any_text.map("{{{}".format))
@example("")
@example("[" * LARGEST)
@example('{"extra":' + "[" * (LARGEST - 20))
@example('{"a":' * (LARGEST // 5))
@example("aws://?__extra__=" + "[" * LARGEST)
@example('{"port": ' + "9" * 60000 + "}")
@example("aws://[::1]/?endpoint_url=http://[")
@example("aws://?endpoint_url=http://a\uff0fb")
@example("aws://?endpoint_url=http://[fe80::1%25]:x")
def test_any_text_is_read_or_refused(text: str) -> None:
    read(text)


@quick
@given(st.lists(pieces | any_text, max_size=30).map("".join), st.integers(1, 2000))
def test_anything_like_a_connection_is_read_or_refused(text: str, times: int) -> None:
    for begin in ("", "aws://", "{", '{"extra": {'):
        read((begin + text * times)[:LARGEST])


@quick
@given(extras)
def test_any_extra_is_read_or_refused(extra: dict[str, Any]) -> None:
    read(json.dumps({"extra": extra}))
    read(json.dumps(extra))
    read(f"aws://?{urlencode({'__extra__': json.dumps(extra)})}")
    texts = {name: json.dumps(value) for name, value in extra.items()}
    read(f"aws://?{urlencode(texts)}")


FAMILIES: dict[str, Callable[[int], str]] = {
    "percent": lambda size: "aws://" + "%" * size,
    "encoded": lambda size: "aws://" + "%2F" * (size // 3),
    "at": lambda size: "aws://" + "@" * size,
    "colon": lambda size: "aws://" + ":" * size,
    "slash": lambda size: "aws://" + "://" * (size // 3),
    "bracket": lambda size: "aws://" + "[" * size,
    "ampersand": lambda size: "aws://?" + "a&" * (size // 2),
    "fields": lambda size: "aws://?" + "&".join(f"{n:06}=" for n in range(size // 8)),
    "nested": lambda size: "{" * size,
    "objects": lambda size: '{"a":' * (size // 5),
    "lists": lambda size: '{"extra":' + "[" * (size // 2) + "]" * (size // 2) + "}",
    "top": lambda size: json.dumps({f"{n:06}": 1 for n in range(size // 13)}),
    "services": lambda size: json.dumps(
        {"extra": {"service_config": {f"{n:06}": 1 for n in range(size // 13)}}}
    ),
    "proxies": lambda size: (
        json.dumps(
            {
                "extra": {
                    "config_kwargs": {"proxies": {f"{n:06}": 1 for n in range(size)}}
                }
            }
        )[: size - 4]
        + "}}}}"
    ),
    "quotes": lambda size: json.dumps({"extra": json.dumps('"' * (size // 4))}),
    "name": lambda size: "aws://?" + quote("role_arn" * (size // 8)) + "=x",
    "escapes": lambda size: '{"login": "' + "\\u00e9" * (size // 6) + '"}',
    "spaces": lambda size: "{" + " " * size,
    "digits": lambda size: '{"extra": {"verify": [' + "1," * (size // 2) + "1]}}",
}


def count_work(text: str) -> int:
    """Count the calls, of C functions too, that reading `text` makes.

    Not the lines: a trace function of ours would end the coverage's.
    """
    work = 0

    def count(*_: object) -> None:
        nonlocal work
        work += 1

    sys.setprofile(count)
    try:
        read(text)
    finally:
        sys.setprofile(None)
    return work


@pytest.mark.parametrize("family", FAMILIES)
def test_work_grows_with_the_size_and_not_faster(family: str) -> None:
    write = FAMILIES[family]
    read(write(SMALLER))  # imports and caches
    small, large = count_work(write(SMALLER)), count_work(write(LARGEST))
    assert large < MOST_WORK * small
