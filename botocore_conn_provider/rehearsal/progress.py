"""Tell what happens in a rehearsed job while it runs, each thing once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore_conn_provider.rehearsal.findings import describe_taker
from botocore_conn_provider.rehearsal.notes import read_notes
from botocore_conn_provider.rehearsal.report import NAME, show_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Progress:
    """Follows the notes of a job.

    Args:
        directory: Of the notes.
        say: Is given each line.
    """

    def __init__(self, directory: Path, say: Callable[[str], None]) -> None:
        self._directory = directory
        self._say = say
        self._offsets: dict[str, int] = {}
        self._shown: dict[str, str] = {}
        self._said: set[tuple[str, str]] = set()

    def tell(self) -> None:
        """Tell what has been noted since it was last called."""
        for note in read_notes(self._directory, self._offsets):
            line = self._describe(note)
            if line:
                self._say(f"{NAME}: {show_time(note['at'])} {line}")

    def _describe(self, note: dict[str, Any]) -> str:
        kind = note["kind"]
        if kind == "issued":
            self._shown[note["set"]] = note["shown"]
            return f"{note['conn_id']}: new keys …{note['shown']} ({note['pid']})"
        if kind == "failed":
            return f"{note['conn_id']}: a renewal failed"
        if kind == "used":
            return self._describe_use(note)
        return ""

    def _describe_use(self, note: dict[str, Any]) -> str:
        by = describe_taker(note)
        if (note["set"], by) in self._said:
            return ""
        self._said.add((note["set"], by))
        shown = self._shown.get(note["set"], "")
        return f"DEAD keys …{shown} used by {by}: {note['call']}"
