from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parents[2] / "examples" / "demo" / "google_flow.py"


def test_demo_shows_the_flow_and_a_refusal() -> None:
    done = subprocess.run(
        [sys.executable, str(DEMO)], check=True, capture_output=True, text=True
    )
    assert "Google was asked         POST /token\n" in done.stdout
    assert "assumed-role/google-federation/" in done.stdout
    assert "A trust policy that matches it" in done.stdout
    assert "PRIVATE KEY" not in done.stdout + done.stderr
