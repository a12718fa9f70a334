"""Show the steps while they run: with a spinner for people who have rich, else lines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.text import Text

    from botocore_conn_provider.cli.doctor.step import Outcome

GOOD, BAD, WARNED = "✓", "✗", "!"


class Screen(Protocol):
    """What shows the steps."""

    def begin(self, name: str) -> None:
        """Show that a step is being looked at."""

    def end(self, outcome: Outcome) -> None:
        """Show what came of it."""


class Silence:
    """Shows nothing: the report comes at the end."""

    def begin(self, name: str) -> None:
        """Show nothing."""

    def end(self, outcome: Outcome) -> None:
        """Show nothing."""


class Lines:
    """Shows a line for each step once it is done."""

    def begin(self, name: str) -> None:
        """Show nothing yet: a pipe has no line to go back to."""

    def end(self, outcome: Outcome) -> None:
        """Write the lines of one step."""
        sys.stdout.write("\n".join(list_lines(outcome)) + "\n")
        sys.stdout.flush()


class Colours:
    """Shows a spinner while a step runs, and then its lines in colour."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("")

    def begin(self, name: str) -> None:
        """Turn the spinner."""
        self._status.update(name)
        self._status.start()

    def end(self, outcome: Outcome) -> None:
        """Write the lines of one step."""
        self._status.stop()
        for line in list_lines(outcome):
            self._console.print(paint(line))


def list_lines(outcome: Outcome) -> Iterator[str]:
    """Yield the lines of one step: its name and time, then what came of it."""
    mark = BAD if not outcome.is_good else WARNED if outcome.warnings else GOOD
    yield f"{mark} {outcome.step} ({outcome.seconds * 1000:.0f} ms)"
    yield from (f"    {evidence}" for evidence in outcome.evidence)
    for warning in outcome.warnings:
        yield f"    warning: {warning.text}"
        yield f"    fix: {warning.fix}"
    if outcome.cause is not None:
        yield f"    cause: {outcome.cause}"
    if outcome.fix is not None:
        yield f"    fix: {outcome.fix}"


def paint(line: str) -> Text:
    """Return a line in colour. Nothing in it is read as markup."""
    from rich.text import Text

    styles = {GOOD: "green", BAD: "bold red", WARNED: "bold yellow"}
    labels = {"cause": "red", "warning": "yellow", "fix": "yellow"}
    label = line.strip().partition(":")[0]
    style = styles.get(line[0]) or labels.get(label, "dim")
    return Text(line, style=style)


def choose_screen(*, as_json: bool) -> Screen:
    """Return the screen that fits where standard output leads."""
    if as_json:
        return Silence()
    if sys.stdout.isatty():
        try:
            from rich.console import Console  # of the extra [cli]; slow to import
        except ImportError:
            pass
        else:
            return Colours(Console())
    return Lines()
