"""Put together what the processes of a rehearsed job have noted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.rehearsal.code_places import CodePlace
from botocore_conn_provider.rehearsal.notes import read_notes
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    Note = dict[str, Any]

UNKNOWN = "code that cannot be named"


class IssuedSet(Value):
    """One set of credentials: when it was issued and ended, by whose process.

    `ends` is None for one that does not end, which a rehearsal leaves alone.
    """

    conn_id: str
    shown: str
    issued: float
    ends: float | None
    program: str
    pid: int


class DeadUse(Value):
    """Requests of one line of code with one dead set."""

    used: IssuedSet
    by: str
    call: str
    first_at: float
    times: int
    taken_by: tuple[str, ...]


class Kept(Value):
    """One who took a set, and did not ask again before its end."""

    by: str
    last: IssuedSet


class FailedRenewal(Value):
    """A renewal that failed."""

    conn_id: str
    error: str
    times: int


class RehearsalFindings(Value):
    """What a rehearsal has shown.

    `readers` are those who took credentials and asked again in time; `unseen` the
    engines whose requests no rehearsal sees. `ended` is when the job ended.
    """

    ended: float
    processes: int
    sets: tuple[IssuedSet, ...]
    dead_uses: tuple[DeadUse, ...]
    kept: tuple[Kept, ...]
    readers: tuple[str, ...]
    failures: tuple[FailedRenewal, ...]
    unseen: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether no request was seen that used a dead set."""
        return not self.dead_uses

    @property
    def has_rehearsed(self) -> bool:
        """Whether a set ended while the job ran, so that there was something to see."""
        ends = (each.ends for each in self.sets if each.ends is not None)
        return bool(self.dead_uses) or any(each < self.ended for each in ends)


def find(directory: Path, ended: float | None = None) -> RehearsalFindings:
    """Return what the notes in that directory show.

    Args:
        directory: Of the job.
        ended: When the job ended, by the wall clock; None for now.
    """
    notes = read_notes(directory)
    programs = {each["pid"]: each["program"] for each in _pick(notes, "process")}
    sets = _find_sets(notes, programs)
    takers = _find_takers(notes)
    until = time.time() if ended is None else ended
    kept = _find_kept(takers, sets, until)
    kept_by = {each.by for each in kept}
    all_takers = {by for several in takers.values() for by in several}
    return RehearsalFindings(
        until,
        len(programs),
        tuple(sets.values()),
        _find_dead_uses(notes, sets, takers),
        kept,
        tuple(sorted(all_takers - kept_by)),
        _find_failures(notes),
        tuple(sorted({e for note in _pick(notes, "engines") for e in note["names"]})),
    )


def _pick(notes: Iterable[Note], kind: str) -> list[Note]:
    return [each for each in notes if each["kind"] == kind]


def _find_sets(notes: list[Note], programs: dict[int, str]) -> dict[str, IssuedSet]:
    """Return the sets by name; what is noted last of one counts."""
    return {
        note["set"]: IssuedSet(
            note["conn_id"],
            note["shown"],
            note["at"],
            note["ends"],
            programs.get(note["pid"], ""),
            note["pid"],
        )
        for note in _pick(notes, "issued")
    }


def describe_taker(note: Note) -> str:
    """Return who took or used a set, in words."""
    place = note.get("place")
    by: str = note.get("by") or ""
    return by or (UNKNOWN if place is None else CodePlace(**place).describe())


def _find_takers(notes: list[Note]) -> dict[str, list[str]]:
    """Return, for each set, who took it, in the order of time."""
    found: dict[str, list[str]] = {}
    for note in _pick(notes, "took"):
        several = found.setdefault(note["set"], [])
        by = describe_taker(note)
        if by not in several:
            several.append(by)
    return found


def _find_dead_uses(
    notes: list[Note], sets: dict[str, IssuedSet], takers: dict[str, list[str]]
) -> tuple[DeadUse, ...]:
    found: dict[tuple[str, str, str], DeadUse] = {}
    for note in _pick(notes, "used"):
        if note["set"] not in sets:
            continue
        mark = (note["set"], describe_taker(note), note["call"])
        before = found.get(mark)
        if before is not None:
            found[mark] = before._replace(times=before.times + 1)
            continue
        taken_by = tuple(takers.get(note["set"], ()))
        found[mark] = DeadUse(
            sets[note["set"]], mark[1], note["call"], note["at"], 1, taken_by
        )
    return tuple(found.values())


def _find_kept(
    takers: dict[str, list[str]], sets: dict[str, IssuedSet], ended: float
) -> tuple[Kept, ...]:
    """Return who had a set last that ended before the job did."""
    last: dict[tuple[str, str], IssuedSet] = {}
    for name, several in takers.items():
        taken = sets.get(name)
        if taken is None:  # its process could not write it down
            continue
        for by in several:
            mark = (by, taken.conn_id)
            before = last.get(mark)
            if before is None or before.issued < taken.issued:
                last[mark] = taken
    return tuple(
        Kept(by, taken)
        for (by, _), taken in last.items()
        if taken.ends is not None and taken.ends < ended
    )


def _find_failures(notes: list[Note]) -> tuple[FailedRenewal, ...]:
    times: dict[tuple[str, str], int] = {}
    for note in _pick(notes, "failed"):
        mark = (note["conn_id"], note["error"] or "")
        times[mark] = times.get(mark, 0) + 1
    return tuple(FailedRenewal(*mark, count) for mark, count in times.items())
