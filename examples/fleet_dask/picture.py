"""The live picture: who asked STS, when, and how often beside all that was read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodes import Ask, Node
    from rich.console import Console, ConsoleOptions
    from short_lived_aws import ShortLivedAws

WIDEST, OTHERS_WIDTH = 98, 50
COLORS = ("cyan", "magenta")


class Event(NamedTuple):
    """One exchange with STS, as a node's store has noted it."""

    node: int
    pid: int
    at: float


class Picture:
    """What has been seen so far."""

    def __init__(
        self, aws: ShortLivedAws, nodes: list[Node], *, workers: int, seconds: float
    ) -> None:
        self._aws, self._nodes = aws, nodes
        self._workers, self._seconds = workers, seconds
        self._began = time.monotonic()
        self._last: list[Ask | None] = [None] * len(nodes)
        self.events: list[Event] = []
        self.tasks = 0

    def count_task(self, _: int) -> None:
        """Count a task that has read its rows."""
        self.tasks += 1

    @property
    def seconds(self) -> float:
        """How long it has been shown."""
        return time.monotonic() - self._began

    def look(self) -> list[Event]:
        """Look at each node's store; return the exchanges that are new."""
        new = []
        for number, node in enumerate(self._nodes):
            last, self._last[number] = self._last[number], node.look()
            ask = self._last[number]
            if ask is not None and (last is None or ask.total > last.total):
                new.append(Event(number, ask.pid, self.seconds))
        self.events += new
        return new

    def describe(self, event: Event) -> str:
        """Return an exchange in a line."""
        return (
            f"{event.at:5.1f} s  {self._nodes[event.node].name}  process {event.pid}"
            " asked STS for all of its node"
        )

    def summarize(self) -> str:
        """Return what came of it."""
        return (
            f"STS was asked {len(self._aws.asked_at)} times, for {self.tasks} tasks of"
            f" {2 * self._workers} workers on {len(self._nodes)} nodes; S3 refused"
            f" {self._aws.refused} requests."
        )

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[Panel]:
        """Draw it as wide as the terminal lets it: what wraps cannot be drawn over."""
        width = min(WIDEST, options.max_width)
        yield self._draw(width)

    def _draw(self, width: int) -> Panel:
        table = Table(box=None, padding=(0, 2), header_style="dim")
        for column in ("", "asked STS: when", "", "last by", "left"):
            table.add_column(column)
        for number, node in enumerate(self._nodes):
            table.add_row(*self._draw_node(number, node, width - OTHERS_WIDTH))
        asked = Text.assemble(
            ("  STS was asked ", ""),
            (str(len(self._aws.asked_at)), "bold green"),
            (" times; tasks done: ", ""),
            (str(self.tasks), "bold green"),
            (f", workers: {2 * self._workers}, requests that S3 refused: ", ""),
            (str(self._aws.refused), "bold red" if self._aws.refused else "bold green"),
        )
        title = f"{2 * self._workers} Dask workers, {len(self._nodes)} nodes"
        life = f"credentials live {self._aws.life_seconds:.0f} s"
        shown = Group(Text(), table, Text(), asked, Text())
        return Panel(shown, title=title, subtitle=life, border_style="dim", width=width)

    def _draw_node(self, number: int, node: Node, width: int) -> tuple[Text, ...]:
        color, ask = COLORS[number], self._last[number]
        now = min(width - 1, int(self.seconds / self._seconds * width))
        line = ["─" if place <= now else " " for place in range(width)]
        for event in self.events:
            if event.node == number:
                line[min(width - 1, int(event.at / self._seconds * width))] = "●"
        return (
            Text(node.name, style=f"bold {color}"),
            Text("".join(line), style=color),
            Text(f"{0 if ask is None else ask.total} x", style="bold"),
            Text("-" if ask is None else f"pid {ask.pid}"),
            Text("-" if ask is None else f"{max(0, ask.seconds_left):2.0f} s"),
        )
