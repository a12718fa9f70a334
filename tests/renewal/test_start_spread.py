"""A fleet that starts in one moment can be spread, a node at a time."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.fleet.fleet import Fleet, live
from botocore_conn_provider.errors import StsExchangeError
from botocore_conn_provider.renewal.keeper import Keeper
from botocore_conn_provider.renewal.schedule import RenewalPolicy
from botocore_conn_provider.renewal.start_spread import find_start_delay, place_node
from botocore_conn_provider.renewal.store.machine_store import MachineStore
from tests.renewal.simulation import EPOCH, HOUR, Simulation

if TYPE_CHECKING:
    from collections.abc import Callable

# Longer than the deadline of an attempt.
DELAY = 100.0


def start(
    world: Simulation, store: Path, *, pause: Callable[[float], None] | None = None
) -> Keeper:
    """Return the keeper of a process on a node that waits for so long."""
    runtime = world.runtime()
    runtime = runtime._replace(pause=pause or runtime.pause)
    return Keeper(
        lambda repeat: repeat(world.fetch),
        conn_id="x",
        policy=RenewalPolicy(start_delay_seconds=DELAY),
        store=MachineStore(store, "f", runtime=runtime),
        runtime=runtime,
    )


def test_first_exchange_of_a_node_is_put_off_and_made_once(
    tmp_path: Path, simulation: Simulation
) -> None:
    start(simulation, tmp_path / "store").current()
    start(simulation, tmp_path / "store").current()
    assert simulation.asked == [pytest.approx(EPOCH + DELAY, abs=1)]


def test_wait_for_the_start_leaves_the_whole_deadline(
    tmp_path: Path, simulation: Simulation
) -> None:
    simulation.fault = StsExchangeError(
        conn_id="x", cause="busy.", code="Throttling", retryable=True
    )
    with pytest.raises(StsExchangeError):
        start(simulation, tmp_path / "store").current()
    assert len(simulation.asked) >= 5
    assert simulation.asked[0] >= EPOCH + DELAY


def test_later_exchanges_are_not_put_off(
    tmp_path: Path, simulation: Simulation
) -> None:
    keeper = start(simulation, tmp_path / "store")
    keeper.current()
    simulation.pass_time(HOUR + 1)
    due = simulation.now
    keeper.current()
    assert simulation.asked[1] == due


def test_credentials_that_come_meanwhile_end_the_wait(
    tmp_path: Path, simulation: Simulation
) -> None:
    other = Simulation()
    other.now = simulation.now

    def let_another_in(seconds: float) -> None:
        simulation.now += seconds
        other.now = simulation.now
        store = MachineStore(tmp_path / "store", "f", runtime=other.runtime())
        other.build_keeper(store=store).current()

    keeper = start(simulation, tmp_path / "store", pause=let_another_in)
    keeper.current()
    assert (simulation.asked, len(other.asked)) == ([], 1)
    assert simulation.now < EPOCH + 1


def test_process_that_waits_says_so_once(
    tmp_path: Path, simulation: Simulation, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(2):
        start(simulation, tmp_path / "store").current()
    told = [each.getMessage() for each in caplog.records if "put off" in each.message]
    (words,) = told
    assert "put off by 100 s, as start_spread_seconds says" in words


def test_part_is_the_same_on_a_node_and_another_on_the_next() -> None:
    parts = [place_node(["node", str(number)]) for number in range(1000)]
    assert place_node(["node", "7"]) == parts[7]
    assert len(set(parts)) == 1000
    assert 0 <= min(parts) < 0.01
    assert 0.99 < max(parts) < 1
    one = find_start_delay(60, conn_id="x", store=Path("/s"))
    assert one == find_start_delay(60, conn_id="x", store=Path("/s"))
    assert one != find_start_delay(60, conn_id="x", store=Path("/t"))
    assert one != find_start_delay(60, conn_id="y", store=Path("/s"))


def test_spread_fleet_asks_as_many_a_second_as_there_are_nodes_in_it() -> None:
    told = live(Fleet(300, 900, 0.1, spread_seconds=60), ours=True)
    assert told.count_asked(0, 62) == 300
    # Five a second on average.
    assert told.find_peak(0, 62) <= 15
    assert told.failures == 0
