"""What a benchmark hands back: one comparison, and whether it holds.

A new figure is a new module `row_<name>.py` with `measure() -> list[Row]`; it is
found by its name. Absolute figures mean little on another machine, so each row has
what it is compared with, measured in the same run, by turns.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Row(NamedTuple):
    """One line of the table. `holds` is None where nothing was promised."""

    what: str
    ours: str
    against: str
    theirs: str
    result: str
    limit: str
    holds: bool | None


def compare_ratio(
    what: str,
    ours: float,
    *,
    against: str,
    theirs: float,
    unit: str,
    limit: float | None = None,
) -> Row:
    """Make a row that divides ours by theirs."""
    ratio = ours / theirs
    return Row(
        what=what,
        ours=f"{ours:.1f} {unit}",
        against=against,
        theirs=f"{theirs:.1f} {unit}",
        result=f"{ratio:.3f} x",
        limit="" if limit is None else f"≤ {limit:g} x",
        holds=None if limit is None else ratio <= limit,
    )


def compare_surplus(
    what: str,
    ours: float,
    *,
    against: str,
    theirs: float,
    unit: str,
    limit: float | None = None,
) -> Row:
    """Make a row that takes theirs from ours."""
    surplus = ours - theirs
    return Row(
        what=what,
        ours=f"{ours:.1f} {unit}",
        against=against,
        theirs=f"{theirs:.1f} {unit}",
        result=f"{surplus:+.2f} {unit}",
        limit="" if limit is None else f"≤ {limit:g} {unit}",
        holds=None if limit is None else surplus <= limit,
    )


def take_turns(
    ways: Mapping[str, Callable[[], float]], *, rounds: int
) -> dict[str, float]:
    """Return the median of each way, measured A B C, A B C, ...

    By turns, so that what else the machine does meanwhile falls on all of them. A
    first round is thrown away: it warms the caches of the file system.
    """
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, measure in ways.items():
            taken[name].append(measure())
    return {name: statistics.median(figures[1:]) for name, figures in taken.items()}
