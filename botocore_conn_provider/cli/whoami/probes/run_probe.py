"""Run one probe: `run_probe.py NAME ENDPOINT`. An error becomes one line."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

LONGEST = 2000


def say_error(
    kind: type[BaseException], error: BaseException, _: TracebackType | None
) -> None:
    """Write what ended the probe as the last line of standard error."""
    words = " ".join(str(error)[:LONGEST].split())
    sys.stderr.write(f"\n{kind.__name__}: {words}\n")


sys.excepthook = say_error
sys.argv = sys.argv[1:]
runpy.run_path(str(Path(__file__).with_name(f"probe_{sys.argv[0]}.py")))
