"""Renewal, waiting and clocks: whatever happens in whatever order, three rules hold.

No caller waits past the deadline, or past the end of a set that could have served him.
No call fails while a set is valid. The source is asked a bounded number of times.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from botocore_conn_provider.renewal import keeper as keeper_module
from botocore_conn_provider.renewal import schedule
from tests.renewal.simulation import EPOCH, build_fault
from tests.renewal.waiting_world import DEADLINE, HANGS, WaitingWorld
from tests.thoroughness import examples

if TYPE_CHECKING:
    from tests.renewal.waiting_world import Caller

ENOUGH = 250  # to find each fault that is planted below
HOW = settings(
    max_examples=examples(ENOUGH),
    stateful_step_count=25,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
SECONDS = st.sampled_from([0.0, 0.5, 1.0, 5.0, 20.0, 29.0, 31.0, 120.0, 800.0, 3000.0])
CALLERS = st.integers(0, 3)
# Asks of one attempt, with all its retries; and how soon the next may follow. After a
# success, credentials of a minute are renewed after half of it, and no others before
# their first minute, not for a URL either. The Date of an answer may cost a second.
MOST_ASKS = 60
SHORTEST_PAUSES = {"renewal_failed": 1.0, "renewal_succeeded": 29.0}
# The Date of an answer has whole seconds.
ROUNDING = 1.0


class RenewalMachine(RuleBasedStateMachine):
    """A keeper, its source and its clocks, as the world may treat them."""

    @initialize(lifetime=st.sampled_from([60.0, 900.0, 3600.0]), seed=st.integers(0, 9))
    def start(self, lifetime: float, seed: int) -> None:
        self.world = WaitingWorld(lifetime=lifetime, seed=seed)
        self.interrupted: list[Caller] = []

    @rule(
        seconds=st.sampled_from([0.0, 1.0, 15.0, 45.0, HANGS]),
        fault=st.sampled_from([None, None, "transient", "terminal"]),
    )
    def source_changes(self, seconds: float, fault: str | None) -> None:
        self.world.answer_seconds = seconds
        retryable = fault == "transient"
        self.world.fault = build_fault(retryable=retryable) if fault else None

    @rule(seconds=SECONDS, callers=CALLERS)
    def time_passes(self, seconds: float, callers: int) -> None:
        self.world.time.run(seconds)
        for _ in range(callers):
            self.world.call()

    @rule(left=st.sampled_from([61.0, 50.0, 20.0, 3.0, 0.5]), callers=CALLERS)
    def last_minute_comes(self, left: float, callers: int) -> None:
        held = self.world.keeper.state.held
        if held is not None:
            left = held.ends_at - self.world.read_steady_clock() - left
            self.time_passes(max(0.0, left), callers)

    @rule()
    def waiting_caller_is_interrupted(self) -> None:
        waiting = [each for each in self.world.callers if each.left is None]
        if waiting:
            waiting[0].actor.interrupt = KeyboardInterrupt()
            self.interrupted.append(waiting[0])
            self.world.time.run()

    @rule(
        wall=st.sampled_from([-1800.0, 0.0, 1800.0]),
        server=st.sampled_from([-600.0, 0.0, 600.0]),
    )
    def clocks_are_set(self, wall: float, server: float) -> None:
        self.world.wall_is_off, self.world.server_is_off = wall, server

    @rule()
    def service_rejects_the_set(self) -> None:
        held = self.world.keeper.state.held
        if held is not None and not self._is_anyone_waiting():
            self.world.keeper.reject(held.credentials.access_key_id)

    def _is_anyone_waiting(self) -> bool:
        return any(each.left is None for each in self.world.callers)

    @invariant()
    def rules_hold(self) -> None:
        if not hasattr(self, "world"):
            return
        for caller in self.world.callers:
            assert caller.waited <= DEADLINE
            if caller.left is not None and caller not in self.interrupted:
                self._judge(caller)
        self.world.callers = [c for c in self.world.callers if c.left is None]
        self._judge_asks()

    def _judge(self, caller: Caller) -> None:
        assert caller.left is not None
        if caller.error is not None:
            assert not caller.could_be_served, caller.error
            return
        assert caller.got is not None
        assert self.world.ends[caller.got.access_key_id] > caller.left - ROUNDING

    def _judge_asks(self) -> None:
        """The source is asked again after a pause, which is longer after a success."""
        kinds = [(moment, event.kind) for moment, event in self.world.events]
        starts = [moment for moment, kind in kinds if kind == "renewal_started"]
        assert len(self.world.asked) <= MOST_ASKS * max(1, len(starts))
        for (before, kind), (after, following) in pairwise(kinds):
            if following == "renewal_started" and kind in SHORTEST_PAUSES:
                assert after - before >= SHORTEST_PAUSES[kind]

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.world.time.run(2 * DEADLINE)
        self.rules_hold()
        assert not self.world.callers, "a caller still waits"
        self.world.time.abandon()


class UrlMachine(RenewalMachine):
    """The same, and some of the callers sign presigned URLs."""

    @rule(
        seconds=st.sampled_from([60.0, 900.0, 1e6]),
        age=st.sampled_from([10.0, 25.0, 70.0, 310.0, 2000.0]),
        callers=CALLERS,
    )
    def urls_are_signed(self, seconds: float, age: float, callers: int) -> None:
        held = self.world.keeper.state.held
        if held is not None:
            ahead = held.obtained_at + age - self.world.read_steady_clock()
            self.world.time.run(max(0.0, ahead))
        for _ in range(callers):
            self.world.call(seconds)


@pytest.mark.parametrize("machine", [RenewalMachine, UrlMachine])
def test_three_rules_hold(machine: type[RenewalMachine]) -> None:
    run_state_machine_as_test(machine, settings=HOW)


def wait_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        keeper_module,
        "plan_wait",
        lambda *_, ends_at, before: before or schedule.Patience(ends_at, ends_at),
    )


def forget_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = schedule.RenewalPolicy(
        deadline_seconds=DEADLINE, remember_error_seconds=(0.0, 0.0)
    )
    monkeypatch.setattr("tests.renewal.waiting_world.RenewalPolicy", lambda **_: policy)


def believe_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        WaitingWorld,
        "read_steady_clock",
        lambda world: EPOCH + world.time.now + world.wall_is_off,
    )


def serve_expired_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "botocore_conn_provider.renewal.source.find_lifetime", lambda *_: 4000.0
    )


@pytest.mark.parametrize(
    "break_it",
    [
        wait_to_the_end,
        forget_failures,
        believe_the_wall_clock,
        serve_expired_sets,
    ],
)
def test_machine_finds_a_broken_rule(
    monkeypatch: pytest.MonkeyPatch, break_it: object
) -> None:
    break_it(monkeypatch)  # type: ignore[operator]
    # Four times as many: it ends with the first that finds the fault.
    how = settings(
        HOW,
        max_examples=4 * ENOUGH,
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(RenewalMachine, settings=how)
