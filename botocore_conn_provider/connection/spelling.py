"""Find the known name that a misspelt one probably means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_COMPARED = 60
SHORTEST_STEM = 4  # "region" suggests "region_name"; "aws" is too short


def normalise(name: str) -> str:
    """Drop what is often mistyped: case, underscores, dashes, dots and spaces."""
    return re.sub(r"[-_. ]", "", name[:LONGEST_COMPARED]).lower()


def find_near(name: str, known: Iterable[str], *, cutoff: float = 0.75) -> str | None:
    """Return the known name that `name` probably means; None if none is similar."""
    # Imported here so that a connection without a misspelt name does not load it.
    import difflib

    if len(name) > LONGEST_COMPARED:
        return None
    by_spelling = {normalise(each): each for each in known}
    near = difflib.get_close_matches(normalise(name), by_spelling, n=1, cutoff=cutoff)
    if near:
        return by_spelling[near[0]]
    starts = [each for each in by_spelling.values() if each.startswith(f"{name}_")]
    return starts[0] if len(name) >= SHORTEST_STEM and starts else None
