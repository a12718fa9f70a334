"""Write the rows as a table: live with rich, else as plain lines."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from botocore_conn_provider.cli.end_signals import EndedError, EndSignals
from botocore_conn_provider.cli.main import complain
from botocore_conn_provider.redaction import shorten
from botocore_conn_provider.renewal.store.ask_log import LONGEST_ERROR

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Group

    from botocore_conn_provider.cli.top.rows import Look, Row

HEADINGS = (
    *("CONNECTION", "ROLE", "LEFT", "RENEWED", "BY"),
    *("ASKS/MIN", "ASKS/H", "FAILED"),
)
# What a narrow terminal does without, the first one first.
LEFT_OUT = ("ROLE", "ASKS/H", "BY", "RENEWED", "FAILED")
BETWEEN = "  "
LONGEST_ROLE = 40
MINUTE, HOUR = 60, 3600
# Less than this part of the lifetime is left, and nobody has renewed it.
SHORT_PART = 1 / 6
RED, YELLOW, GREEN = "bold red", "yellow", "green"


def write_once(seen: Look) -> None:
    """Write the table as plain lines."""
    sys.stdout.write("\n".join(list_lines(seen)) + "\n")


def show_live(look: Callable[[], Look], *, seconds: float) -> None:
    """Show the table until a signal ends it, and look again after each pause.

    Whatever ends it, the terminal is left as it was.
    """
    try:
        from rich.console import Console
        from rich.live import Live
    except ImportError:
        complain("a live table needs rich: pip install 'botocore-conn-provider[cli]'")
        write_once(look())
        return
    console = Console()
    if console.is_dumb_terminal:  # nothing would be seen there
        write_once(look())
        return
    with (
        EndSignals() as signals,
        contextlib.suppress(EndedError, KeyboardInterrupt),
        Live(console=console, screen=True, auto_refresh=False) as live,
    ):
        while True:
            live.update(draw(look(), room=console.width), refresh=True)
            signals.sleep(seconds)


def list_lines(seen: Look) -> list[str]:
    """Return the lines of the plain table."""
    table = [HEADINGS, *(list_cells(row) for row in seen.rows)]
    widths = _measure(table)
    lines = [_join(cells, widths) for cells in table] if seen.rows else []
    faults = [line for row in seen.rows for line in list_faults(row)]
    return [summarise(seen), *lines, *faults]


def _join(cells: tuple[str, ...], widths: list[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return BETWEEN.join(padded).rstrip()


def _measure(table: list[tuple[str, ...]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*table, strict=True)]


def choose_columns(seen: Look, room: int) -> list[int]:
    """Return the places of the columns that a terminal has room for."""
    widths = _measure([HEADINGS, *(list_cells(row) for row in seen.rows)])
    kept = list(range(len(HEADINGS)))
    for heading in LEFT_OUT:
        if sum(widths[each] + len(BETWEEN) for each in kept) <= room + len(BETWEEN):
            break
        kept.remove(HEADINGS.index(heading))
    return kept


def draw(seen: Look, *, room: int) -> Group:
    """Return the table in colour, no wider than `room`."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    kept = choose_columns(seen, room)
    for each in kept:
        table.add_column(HEADINGS[each], no_wrap=True)
    for row in seen.rows:
        cells = list_cells(row)
        table.add_row(*(Text(cells[each]) for each in kept), style=find_style(row))
    faults = [Text(line, style=RED) for row in seen.rows for line in list_faults(row)]
    return Group(Text(summarise(seen), style="dim"), table, *faults)


def summarise(seen: Look) -> str:
    """Return the line above the table."""
    if not seen.rows:
        state = "nothing has been asked yet" if seen.exists else "there is none yet"
        return f"Store {seen.store}: {state}. {seen.at:%H:%M:%S} UTC"
    asked = sum(row.asks_per_minute for row in seen.rows)
    failing = sum(row.log.is_failing for row in seen.rows)
    return (
        f"Store {seen.store}: {_count(len(seen.rows), 'identity', 'identities')},"
        f" {_count(asked, 'ask', 'asks')} in the last minute,"
        f" {failing} failing. {seen.at:%H:%M:%S} UTC"
    )


def _count(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def list_cells(row: Row) -> tuple[str, ...]:
    """Return the texts of a row, in the order of the headings."""
    log, renewal = row.log, row.log.renewal
    return (
        shorten(log.subject.conn_id),
        show_role(log.subject.role_arn),
        show_left(row.seconds_left),
        "-" if renewal is None else f"{show_seconds(row.now - renewal.at)} ago",
        "-" if renewal is None else f"{shorten(renewal.program)} {renewal.pid}",
        str(row.asks_per_minute),
        str(row.asks_per_hour),
        f"{log.failed} of {log.total}",
    )


def list_faults(row: Row) -> list[str]:
    """Return what went wrong, if the last ask did."""
    fault = row.log.fault
    if fault is None or not row.log.is_failing:
        return []
    ago = show_seconds(row.now - fault.at)
    conn_id = shorten(row.log.subject.conn_id)
    return [f"! {conn_id}, {ago} ago: {shorten(fault.text, LONGEST_ERROR)}"]


def find_style(row: Row) -> str:
    """Return the colour of a row: red and yellow are for what fails, or soon may."""
    left, lifetime = row.seconds_left, row.log.lifetime_seconds
    is_over = left is None or left <= 0
    if row.log.is_failing:
        return RED if is_over else YELLOW
    if left is None or lifetime is None or is_over:
        return "dim"  # nobody uses it any more
    return YELLOW if left < lifetime * SHORT_PART else GREEN


def show_role(role_arn: str | None) -> str:
    """Return an account and the name of a role; `-` for the identity of a profile."""
    if role_arn is None:
        return "-"
    account, _, name = role_arn.partition(":role/")
    shown = f"{account.rpartition(':')[2]} {name}" if name else role_arn
    return shorten(shown, LONGEST_ROLE)


def show_left(seconds: float | None) -> str:
    """Return how long credentials are good for."""
    if seconds is None:
        return "none"
    return show_seconds(seconds) if seconds > 0 else "expired"


def show_seconds(seconds: float) -> str:
    """Return a time in its two largest units."""
    whole = max(0, int(seconds))
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} m {whole % MINUTE:02} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE:02} m"
