"""Compare names the way people misspell them, and show them without a risk.

A name that nobody knows may be a piece of a secret (an unencoded `&` in a key
splits it), so a name is shown whole only when it resembles one of ours; of a
plain lower-case word the first letters are shown, which is enough to find it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from botocore_conn_provider.errors import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_COMPARED = 60
SHORTEST_STEM = 4  # "region" stands for "region_name", "aws" for nothing
PLAIN = re.compile(r"[a-z][a-z_]{0,39}")
LONGEST_SHOWN = 5


def normalise(name: str) -> str:
    """Drop what people forget: case, underscores, dashes, dots and spaces."""
    return re.sub(r"[-_. ]", "", name[:LONGEST_COMPARED]).lower()


def find_near(name: str, known: Iterable[str], *, cutoff: float = 0.75) -> str | None:
    """Return the known name that `name` was probably meant to be, if any."""
    import difflib  # only when something is misspelt

    if len(name) > LONGEST_COMPARED:
        return None
    by_spelling = {normalise(each): each for each in known}
    near = difflib.get_close_matches(normalise(name), by_spelling, n=1, cutoff=cutoff)
    if near:
        return by_spelling[near[0]]
    starts = [each for each in by_spelling.values() if each.startswith(f"{name}_")]
    return starts[0] if len(name) >= SHORTEST_STEM and starts else None


def show_name(name: str, *, near: str | None = None) -> str:
    """Return as much of `name` as can be no piece of a secret, else its length."""
    if near is not None:
        return name
    if PLAIN.fullmatch(name):
        return shorten(name, LONGEST_SHOWN)
    return f"({len(name)} characters)"


def describe(value: object) -> str:
    """Say what a value is without showing it: finishes "'field' …"."""
    if value is None:
        return "is null"
    if isinstance(value, bool):
        return f"is {str(value).lower()}"
    if isinstance(value, (int, float)):
        return "is a number"
    if isinstance(value, str):
        return f"is text ({len(value)} characters)" if value else "is empty"
    return "is a list" if isinstance(value, (list, tuple)) else "is an object"
