"""Kill a writer of the store a thousand times: `python -m tests.stress.kill_writers`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.renewal.test_store import kill_writers

if __name__ == "__main__":
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as directory:
        kill_writers(Path(directory) / "store", times)
    print(f"{times} writers killed; every reader saw a whole entry or none.")  # noqa: T201
