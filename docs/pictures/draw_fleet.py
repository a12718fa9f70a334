"""Draw what a fleet asks of STS, from the simulation: `python -m docs.pictures.draw_fleet`.

Takes two minutes. An hour and a half, with a start in one moment and an outage.
"""

from __future__ import annotations

import math
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.fleet.__main__ import (
    NODES,
    OUTAGE_BEGINS,
    OUTAGE_ENDS,
    OUTAGE_HOURS,
    WORKERS,
    run_scenario,
)
from benchmarks.fleet.simulated_sts import QUOTA

if TYPE_CHECKING:
    from benchmarks.fleet.fleet import Told

PICTURE = Path(__file__).parent / "fleet.svg"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 840, 380, 64, 36, 48, 44
MOST, SECONDS, BIN = 20_000, int(OUTAGE_HOURS * 3600), 15
GRID = (1, 10, 100, 1000, 10_000)
COLOURS = {"botocore": "#c2410c", "ours": "#0f766e"}
STYLE = "font-family:system-ui,sans-serif;font-size:12px;fill:#334155"


def place_x(second: float) -> float:
    """Return where a moment is."""
    return LEFT + (WIDTH - LEFT - RIGHT) * second / SECONDS


def place_y(count: float) -> float:
    """Return where a number of asks is; none is at the bottom."""
    height = HEIGHT - TOP - BOTTOM
    part = math.log10(max(count, 0.5) / 0.5) / math.log10(MOST / 0.5)
    return HEIGHT - BOTTOM - height * part


def draw_line(told: Told, colour: str) -> str:
    """Draw the highest second of each quarter of a minute."""
    points = " ".join(
        f"{place_x(begin):.1f},{place_y(told.find_peak(begin, begin + BIN)):.1f}"
        for begin in range(0, SECONDS, BIN)
    )
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"/>'


def write(x: float, y: float, text: str, *, more: str = "") -> str:
    """Write words."""
    return f'<text x="{x:.1f}" y="{y:.1f}" style="{STYLE}" {more}>{text}</text>'


def draw_axes() -> list[str]:
    """Draw the grid, the outage and the quota."""
    begins, ends = place_x(OUTAGE_BEGINS), place_x(OUTAGE_ENDS)
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = [
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<path d="M{begins:.1f} {TOP}H{ends:.1f}V{bottom}H{begins:.1f}" fill="#fef3c7"/>',
        write(begins + 4, TOP + 14, "STS answers 503"),
    ]
    for count in GRID:
        y = place_y(count)
        parts.append(
            f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#e2e8f0" stroke-width="1"/>'
        )
        parts.append(write(LEFT - 8, y + 4, f"{count:,}", more='text-anchor="end"'))
    for minute in range(0, SECONDS // 60 + 1, 15):
        x = place_x(minute * 60)
        parts.append(
            write(x, bottom + 18, f"{minute} min", more='text-anchor="middle"')
        )
    y = place_y(QUOTA)
    parts.append(
        f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#64748b" stroke-dasharray="5 4"/>'
    )
    quota = f"what STS allows an account in a Region: {QUOTA}"
    parts.append(write(right - 4, y - 5, quota, more='text-anchor="end"'))
    return parts


def draw(ours: Told, botocore: Told) -> str:
    """Return the picture."""
    title = f"Asks at STS in the busiest second: {WORKERS:,} workers on {NODES} nodes"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">',
        f"<title>{title}</title>",
        *draw_axes(),
        write(LEFT, 20, title, more='font-weight="bold"'),
        draw_line(botocore, COLOURS["botocore"]),
        draw_line(ours, COLOURS["ours"]),
        write(LEFT + 16, 38, "botocore, a process each"),
        write(LEFT + 206, 38, "with the store"),
    ]
    for x, who in ((LEFT, "botocore"), (LEFT + 190, "ours")):
        parts.append(
            f'<rect x="{x}" y="29" width="10" height="10" fill="{COLOURS[who]}"/>'
        )
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    """Simulate both and draw."""
    with ProcessPoolExecutor() as pool:
        ours, botocore = pool.map(run_scenario, [("busy", True), ("busy", False)])
    PICTURE.write_text(draw(ours, botocore), encoding="utf-8")


if __name__ == "__main__":
    main()
