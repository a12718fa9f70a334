"""Measure and print the table: `python -m benchmarks [NAME ...]`, all by default.

Bytecode must be compiled first (`make bench` does), or every import figure is
several times too high.
"""

from __future__ import annotations

import pkgutil
import sys
from importlib import import_module
from importlib.metadata import version
from platform import python_version
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

import benchmarks

if TYPE_CHECKING:
    from benchmarks.row import Row

PREFIX = "row_"
VERDICTS = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}


def find_names() -> list[str]:
    """Return the names of the benchmarks that there are."""
    found = pkgutil.iter_modules(benchmarks.__path__)
    return [m.name.removeprefix(PREFIX) for m in found if m.name.startswith(PREFIX)]


def build_table(rows: list[Row]) -> Table:
    """Lay the rows out."""
    hosts = f"Python {python_version()}, botocore {version('botocore')}"
    table = Table(title=f"Medians, measured by turns in this run ({hosts})")
    for heading in ("what", "ours", "against", "theirs", "result", "limit", "holds"):
        table.add_column(heading)
    for row in rows:
        table.add_row(*row[:-1], VERDICTS[row.holds])
    return table


def main(names: list[str]) -> None:
    """Measure `names`, or all, and print."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    rows: list[Row] = []
    for name in names or find_names():
        console.print(f"== {name}")
        rows += import_module(f"benchmarks.{PREFIX}{name}").measure()
    console.print(build_table(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
