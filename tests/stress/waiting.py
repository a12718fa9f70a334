"""Thousands of orders of events around a renewal: `python -m tests.stress.waiting`."""

from __future__ import annotations

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.renewal.test_waiting_machine import HOW, RenewalMachine

if __name__ == "__main__":
    how = settings(
        HOW, max_examples=1000, stateful_step_count=50, derandomize=False, database=None
    )
    run_state_machine_as_test(RenewalMachine, settings=how)
    print("No caller waited too long, and none failed without need.")  # noqa: T201
