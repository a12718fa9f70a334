"""A fleet asks STS as its nodes, not as its workers: the real keepers, simulated time.

`python -m benchmarks.fleet` is the same at full size.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest

from benchmarks.fleet.fleet import Fleet, Told, live
from benchmarks.fleet.simulated_node import SimulatedNode
from benchmarks.fleet.simulated_sts import Outage
from benchmarks.fleet.simulated_time import SimulatedTime
from botocore_conn_provider.errors import StsExchangeError
from botocore_conn_provider.renewal.runtime import Runtime
from botocore_conn_provider.renewal.schedule import Issued
from botocore_conn_provider.renewal.store.lock import StoreLock
from botocore_conn_provider.renewal.store.machine_store import MachineStore, Place
from tests.renewal.simulation import issue

if TYPE_CHECKING:
    from pathlib import Path

NODES, HOURS = 20, 2
MINUTE, HOUR = 60, 3600
BEGINS, ENDS, QUIET = 44 * MINUTE, 64 * MINUTE, 80 * MINUTE
BUSY, UNREACHABLE = Outage("busy", BEGINS, ENDS), Outage("unreachable", BEGINS, ENDS)
# From then on no worker has credentials.
EXPIRED = 61 * MINUTE


@pytest.fixture(autouse=True)
def leaks() -> None:
    """Do without the search for secrets: here are none, and a million errors."""


@functools.cache
def see(workers_per_node: int, outage: Outage | None = None, seed: int = 1) -> Told:
    fleet = Fleet(NODES, NODES * workers_per_node, HOURS, outage, seed)
    return live(fleet, ours=True)


@pytest.mark.parametrize("seed", [1, 2])
def test_fleet_that_starts_in_one_moment_asks_once_a_node(seed: int) -> None:
    told = see(17, None, seed)
    assert told.count_asked(0, MINUTE) == NODES
    assert told.find_peak(0, MINUTE) <= NODES * 1.01


def test_renewals_grow_with_nodes_and_not_with_workers() -> None:
    alone, together = see(1), see(17)
    assert alone.asked.total() == together.asked.total()
    assert together.find_peak(MINUTE, HOURS * HOUR) <= NODES / 4
    assert together.failures == 0


def test_asks_during_an_outage_do_not_grow_with_workers() -> None:
    alone, together, more = (see(workers, BUSY) for workers in (1, 17, 34))
    asked = [each.count_asked(EXPIRED, ENDS) for each in (alone, together, more)]
    assert max(asked) <= 1.1 * min(asked)
    # While valid credentials are served, workers notice at different times.
    before = [each.count_asked(BEGINS, EXPIRED) for each in (together, more)]
    assert before[1] <= 1.1 * before[0]
    assert together.find_peak(BEGINS, ENDS) <= NODES / 2


@pytest.mark.parametrize("outage", [BUSY, UNREACHABLE], ids=["busy", "unreachable"])
def test_end_of_an_outage_costs_one_ask_a_node(outage: Outage) -> None:
    for workers in (1, 17):
        told = see(workers, outage)
        assert told.count_asked(ENDS, QUIET) == NODES
        assert told.find_peak(ENDS, QUIET) <= NODES / 2


def test_connections_tried_in_vain_are_bounded_for_a_node() -> None:
    """One at a time, each of which takes 5 s."""
    tried = see(17, UNREACHABLE).tried
    assert tried.total() <= NODES * (ENDS - BEGINS) / 5


def test_botocore_alone_asks_as_its_workers() -> None:
    told = live(Fleet(NODES, NODES * 17, 1, quota=1e9), ours=False)
    assert told.count_asked(0, MINUTE) == NODES * 17


def test_same_seed_tells_the_same() -> None:
    fleet = Fleet(4, 16, HOURS, BUSY)
    first, second = live(fleet, ours=True), live(fleet, ours=True)
    assert first == second


def list_methods(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


def test_simulated_node_has_what_the_store_uses_of_the_real_one() -> None:
    assert list_methods(Place) <= {*dir(SimulatedNode), "wait"}
    lock = type(SimulatedNode(SimulatedTime(), lambda low, _: low).open_lock())
    assert list_methods(StoreLock) - {"reset_after_fork"} <= list_methods(lock)


def see_place(place: Place | SimulatedNode) -> list[object]:
    """Do all there is to do with a place; return what is seen."""
    fault = StsExchangeError(conn_id="x", cause="busy.", code="c", retryable=True)
    first, second = place.open_lock(), place.open_lock()
    pulse = second.read_pulse()
    seen: list[object] = [place.look(lambda _: True), place.failures.read()]
    seen += [first.try_acquire(), second.try_acquire()]
    first.beat()
    seen.append(second.read_pulse() != pulse)
    place.failures.write(fault, seconds=3.0, failed=2)
    seen.append(place.failures.read())
    place.put(Issued(issue(1, 4e9), 0.0, 3600.0))
    place.failures.forget()
    seen += [place.look(lambda _: True), place.look(lambda _: False)]
    seen.append(place.failures.read())
    first.close()
    seen.append(second.try_acquire())
    return seen


def test_simulated_node_does_as_a_real_one(tmp_path: Path) -> None:
    time = SimulatedTime()
    clocks = Runtime(now=lambda: 1e9, elapsed=lambda: time.now)
    node = SimulatedNode(time, lambda low, _: low)
    with MachineStore(tmp_path / "store", "f", runtime=clocks)._open() as place:
        assert see_place(node) == see_place(place)
