"""Many random programs of two tenants: `python -m tests.stress.identity`."""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings

from tests import botocores_data
from tests.sessions.identity_machine import run_programs, standing


def run_many(number: int, folder: Path) -> None:
    """Run that many programs, other ones each time; fail on the first wrong signer."""
    many = settings(
        max_examples=number,
        stateful_step_count=40,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    with standing(folder) as here:
        run_programs(here, many)


if __name__ == "__main__":
    logging.disable()
    botocores_data.share(setattr)
    programs = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory() as directory:
        run_many(programs, Path(directory))
    print(f"{programs} random programs: each call was signed for its tenant.")  # noqa: T201
