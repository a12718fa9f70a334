"""The forms in which users start a program: they differ in how deep the stack is.

CPython frees and maps a chunk of its frame stack where calls meet the chunk's end, so
the same import may take ten times as long at another depth. What holds for one form
need not hold for another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MODULE = "benchmarked"
# The program is imported below as many calls as these, a different depth each time.
SHALLOWEST, DEPTHS, STEP = 20, 80, 7
DEEP = """
def go_down(left):
    if left:
        go_down(left - 1)
    else:
        import {module}
go_down({depth})
"""


def script(directory: Path, _: int) -> list[str]:
    """Start it as a script file."""
    return [str(directory / f"{MODULE}.py")]


def command(directory: Path, _: int) -> list[str]:
    """Start it as the text behind `-c`."""
    return ["-c", (directory / f"{MODULE}.py").read_text()]


def module(_: Path, __: int) -> list[str]:
    """Start it as a module."""
    return ["-m", MODULE]


def deep(directory: Path, turn: int) -> list[str]:
    """Import it below many calls, as frameworks and test runners do."""
    depth = SHALLOWEST + turn * STEP % DEPTHS
    outer = directory / "outer.py"
    outer.write_text(DEEP.format(module=MODULE, depth=depth))
    return [str(outer)]


FORMS = {
    "a script": script,
    "-c": command,
    "-m": module,
    "below a deep stack": deep,
}
