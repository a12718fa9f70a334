"""64 threads in 20 processes for a minute: `python -m tests.stress.crowd`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.renewal.test_crowd import run_crowd

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        issued = run_crowd(
            Path(directory), processes=20, threads=64, seconds=60, lifetime=40
        )
    print(f"{issued} sets were issued; none was mixed.")  # noqa: T201
    assert issued <= 4, "one for each lifetime and its renewal"
