"""Decide what may be shown: one place for every error, log record, event and report.

Our own words pass as they are. A value of the user's, and every text of another
program, server or library, passes through a function of this module first.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from botocore_conn_provider.secret import HIDDEN

LONGEST_NAME = 40
SHORTEST_KEY_ID = 12  # of a shorter one, four characters would be too much
PLAIN_WORD = re.compile(r"[a-z][a-z_]{0,39}")
LONGEST_STEM = 5


def shorten(text: str, longest: int = LONGEST_NAME) -> str:
    """Cut `text` to `longest` characters, printable ones only."""
    shown = "".join(c if c.isprintable() else "?" for c in text[: longest + 1])
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def show_key_id(access_key_id: str) -> str:
    """Return the last four characters, which tell keys apart and open nothing."""
    return f"…{access_key_id[-4:]}" if len(access_key_id) > SHORTEST_KEY_ID else HIDDEN


def show_origin(url: str) -> str:
    """Return the scheme and host of a URL: its path and query may hold a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}"


def show_name(name: str, *, near: str | None = None, may_be_cut: bool = False) -> str:
    """Return as much of a field's name as can be no piece of a secret, else its length.

    It is shown whole only if it resembles the known name `near`; of a plain
    lower-case word the first letters are shown, which is enough to find it. Not in a
    URI's query (`may_be_cut`): an unencoded `&` in a secret makes its rest a name.
    """
    if near is not None:
        return name
    if PLAIN_WORD.fullmatch(name) and not may_be_cut:
        return shorten(name, LONGEST_STEM)
    return f"({len(name)} characters)"


def describe_value(value: object) -> str:
    """Return what a value is without showing it: finishes "'field' …"."""
    if value is None:
        return "is null"
    if isinstance(value, bool):
        return f"is {str(value).lower()}"
    if isinstance(value, (int, float)):
        return "is a number"
    if isinstance(value, str):
        return f"is text ({len(value)} characters)" if value else "is empty"
    return "is a list" if isinstance(value, (list, tuple)) else "is an object"
