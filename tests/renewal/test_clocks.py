"""Which clock is believed where."""

from __future__ import annotations

import datetime
import time
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.renewal.runtime import Runtime, find_steady_clock
from botocore_conn_provider.renewal.schedule import Issued
from botocore_conn_provider.renewal.source import find_lifetime
from botocore_conn_provider.renewal.store.machine_store import MachineStore
from tests.renewal.simulation import EPOCH, HOUR, MINUTE, issue

if TYPE_CHECKING:
    from pathlib import Path

    from tests.renewal.waiting_world import WaitingWorld


@pytest.mark.parametrize("wall", [-1800.0, 0.0, 1800.0, 2 * 3600.0])
@pytest.mark.parametrize("server", [-600.0, 0.0, 600.0])
def test_lifetime_is_the_servers(
    world: WaitingWorld, wall: float, server: float
) -> None:
    world.wall_is_off, world.server_is_off = wall, server
    caller = world.call()
    world.time.run(1)
    assert caller.got is not None
    held = world.keeper.state.held
    assert held is not None
    assert held.ends_at == pytest.approx(world.ends[caller.got.access_key_id], abs=1)


@pytest.mark.parametrize("step", [-1800.0, 1800.0, -86400.0, 86400.0])
def test_step_of_the_wall_clock_costs_nothing(world: WaitingWorld, step: float) -> None:
    world.call()
    world.time.run(MINUTE)
    world.wall_is_off = step
    for _ in range(24 * 60):
        caller = world.call()
        assert caller.waited == 0
        assert caller.got is not None
        assert world.ends[caller.got.access_key_id] > world.time.now
        world.time.run(MINUTE)
    assert len(world.asked) <= 33


def test_machine_that_slept_past_the_end_asks_before_it_serves(
    world: WaitingWorld,
) -> None:
    first = world.call()
    world.time.run(1)
    world.time.run(8 * HOUR)
    second = world.call()
    world.time.run(1)
    assert second.got is not None
    assert second.got is not first.got


def test_steady_clock_counts_what_the_system_counts() -> None:
    steady = find_steady_clock()
    assert steady() == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=1)


TIMES = {
    "server's": (EPOCH - 10 * MINUTE, HOUR + 10 * MINUTE),
    "none": (None, HOUR),
    "would have expired": (EPOCH + 1.5 * HOUR, HOUR),
    "longer than any": (EPOCH - 6 * 365 * 24 * HOUR, HOUR),
}


@pytest.mark.parametrize(("server", "seconds"), TIMES.values(), ids=TIMES)
def test_servers_time_is_believed_where_a_lifetime_follows(
    server: float | None, seconds: float
) -> None:
    time_ = None
    if server is not None:
        time_ = datetime.datetime.fromtimestamp(server, datetime.timezone.utc)
    keys = issue(1, EPOCH + HOUR, server_time=time_)
    assert find_lifetime(keys, EPOCH) == seconds


STEPS = {
    "none": (0.0, 0.0, True),
    "small": (5.0, 0.0, True),
    "wall set back": (-1800.0, 0.0, False),
    "wall set forward": (1800.0, 0.0, False),
    "restart": (0.0, -1000.0, False),
}


@pytest.mark.parametrize(("wall", "steady", "believed"), STEPS.values(), ids=STEPS)
def test_stored_entry_is_believed_if_both_clocks_agree_on_its_age(
    tmp_path: Path, wall: float, steady: float, *, believed: bool
) -> None:
    before = Runtime(now=lambda: EPOCH, elapsed=lambda: 5000.0)
    later = Runtime(
        now=lambda: EPOCH + MINUTE + wall, elapsed=lambda: 5000.0 + MINUTE + steady
    )
    old, new = (
        Issued(issue(number, EPOCH + HOUR), 5000.0, 5000.0 + HOUR) for number in (1, 2)
    )
    for clocks, issued in ((before, old), (later, new)):
        store = MachineStore(tmp_path / "store", "f", runtime=clocks)
        found = store.obtain(lambda: issued, accept=lambda _: True)  # noqa: B023
    assert found.issued == (old if believed else new)
