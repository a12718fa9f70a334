"""Print what a fleet asks of STS: `python -m benchmarks.fleet`. Takes two minutes.

10,000 workers on 600 nodes begin in one moment. Beside ours there is a process of
botocore's own for each worker; of these only a tenth is simulated, against a tenth of
the quota, and all its figures are multiplied by ten.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.fleet.fleet import Fleet, Told, live
from benchmarks.fleet.simulated_sts import QUOTA, Outage

NODES, WORKERS = 600, 10_000
DAY_HOURS, OUTAGE_HOURS = 24, 1.5
# From before the end of the first sets' lives to after it.
OUTAGE_BEGINS, OUTAGE_ENDS = 44 * 60, 64 * 60
SHARE = 10
MINUTE, HOUR = 60, 3600


class Phase(NamedTuple):
    """A part of a scenario, in seconds."""

    name: str
    scenario: str
    begins: float
    ends: float


PHASES = [
    Phase("start in one moment", "day", 0, 10 * MINUTE),
    Phase("renewals of a day", "day", 10 * MINUTE, DAY_HOURS * HOUR),
    Phase("STS answers 503 for 20 min", "busy", OUTAGE_BEGINS, OUTAGE_ENDS),
    Phase("10 min after its end", "busy", OUTAGE_ENDS, OUTAGE_ENDS + 10 * MINUTE),
    Phase("STS not reached for 20 min", "unreachable", OUTAGE_BEGINS, OUTAGE_ENDS),
    Phase(
        "10 min after its end", "unreachable", OUTAGE_ENDS, OUTAGE_ENDS + 10 * MINUTE
    ),
]
SCENARIOS = {
    "day": Fleet(NODES, WORKERS, DAY_HOURS),
    "busy": Fleet(
        NODES, WORKERS, OUTAGE_HOURS, Outage("busy", OUTAGE_BEGINS, OUTAGE_ENDS)
    ),
    "unreachable": Fleet(
        NODES, WORKERS, OUTAGE_HOURS, Outage("unreachable", OUTAGE_BEGINS, OUTAGE_ENDS)
    ),
}


def simulate() -> dict[tuple[str, bool], Told]:
    """Return what was counted, by scenario and by whether it is ours."""
    tasks = [(name, ours) for ours in (True, False) for name in SCENARIOS]
    with ProcessPoolExecutor() as pool:
        return dict(zip(tasks, pool.map(run_scenario, tasks), strict=True))


def run_scenario(task: tuple[str, bool]) -> Told:
    """Return what one scenario counts; the second value is whether it is ours."""
    name, ours = task
    fleet = SCENARIOS[name]
    if ours:
        return live(fleet, ours=True)
    smaller = fleet._replace(
        nodes=NODES // SHARE, workers=WORKERS // SHARE, quota=QUOTA / SHARE
    )
    return live(smaller, ours=False).multiply(SHARE)


def build_table(told: dict[tuple[str, bool], Told]) -> Table:
    """Lay it out, a phase in each row."""
    table = Table(title=f"Asks at STS: {WORKERS:,} workers, {NODES} nodes, sets of 1 h")
    table.add_column("phase")
    for who in ("ours", "botocore"):
        for what in ("peak/s", "per hour", "per node"):
            table.add_column(f"{who}: {what}", justify="right")
    for phase in PHASES:
        cells: list[str] = []
        for ours in (True, False):
            mine = told[phase.scenario, ours]
            count = mine.count_asked(phase.begins, phase.ends)
            hours = (phase.ends - phase.begins) / HOUR
            peak = mine.find_peak(phase.begins, phase.ends)
            cells += [f"{peak:,}", f"{count / hours:,.0f}", f"{count / NODES:,.1f}"]
        table.add_row(phase.name, *cells)
    return table


def main() -> None:
    """Simulate and print."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    told = simulate()
    console.print(build_table(told))
    console.print(f"STS allows {QUOTA} asks a second (IAM and AWS STS quotas).")
    for (name, ours), each in told.items():
        console.print(
            f"{'ours' if ours else 'botocore'}, {name}: {each.refused.total():,} asks"
            f" refused, {each.tried.total():,} connections tried in vain, workers were"
            f" raised {each.failures:,} errors"
        )


if __name__ == "__main__":
    main()
