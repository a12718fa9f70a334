"""What the endpoint hands out when, in a world whose clock the test moves."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botocore_conn_provider.endpoint.supply import Awaited, Handed, KeptSupply
from botocore_conn_provider.errors import StsExchangeError
from botocore_conn_provider.renewal.schedule import RenewalPolicy
from tests.renewal.simulation import HOUR, MINUTE, Simulation, build_fault
from tests.thoroughness import examples


def supply_of(world: Simulation, policy: RenewalPolicy | None = None) -> KeptSupply:
    keeper = world.build_keeper(policy or RenewalPolicy())
    return KeptSupply(lambda: keeper)


def take(supply: KeptSupply) -> Handed:
    """Ask as the server does: again after what was to be waited for."""
    found = supply.take()
    if isinstance(found, Awaited):
        found = supply.take(found)
    assert isinstance(found, Handed)
    return found


@settings(max_examples=examples(100))
@given(
    asks=st.lists(st.integers(0, 50 * MINUTE), min_size=1, max_size=30),
    lifetime=st.sampled_from([HOUR, 2 * HOUR, 12 * HOUR]),
)
def test_at_least_twenty_minutes_are_left_whenever_the_source_answers(
    asks: list[int], lifetime: int
) -> None:
    world = Simulation(lifetime=lifetime)
    supply = supply_of(world)
    for pause in asks:
        world.pass_time(pause)
        assert take(supply).seconds_left >= 20 * MINUTE


@pytest.mark.parametrize("lifetime", [15 * MINUTE, 20 * MINUTE, 40 * MINUTE])
def test_short_lifetimes_are_not_renewed_at_each_ask(lifetime: int) -> None:
    world = Simulation(lifetime=lifetime)
    supply = supply_of(world)
    for _ in range(lifetime // 10):
        assert take(supply).seconds_left >= lifetime / 3
        world.pass_time(10)
    assert len(world.asked) <= 3


def test_hour_of_asks_costs_two_exchanges() -> None:
    world = Simulation()
    supply = supply_of(world)
    for _ in range(HOUR // 5):
        take(supply)
        world.pass_time(5)
    assert len(world.asked) == 2


def test_old_set_is_handed_out_while_the_source_hangs() -> None:
    world = Simulation(in_threads=True)
    supply = supply_of(world)
    first = take_in_threads(supply)
    world.pass_time(50 * MINUTE)
    world.gate = threading.Event()
    waited = supply.take()
    assert isinstance(waited, Awaited)
    assert waited.seconds < 1
    again = supply.take(waited)
    assert isinstance(again, Handed)
    assert again.keys is first.keys
    assert again.seconds_left == pytest.approx(10 * MINUTE)
    world.gate.set()
    waited.renewal.result(60)
    assert take_in_threads(supply).keys is not first.keys


def take_in_threads(supply: KeptSupply) -> Handed:
    found = supply.take()
    while isinstance(found, Awaited):
        found.renewal.exception(60)
        found = supply.take(found)
    return found


def test_old_set_is_handed_out_after_a_failure_and_the_source_is_left_in_peace() -> (
    None
):
    world = Simulation()
    supply = supply_of(world)
    take(supply)
    world.pass_time(40 * MINUTE)
    world.fault = build_fault()
    asked = len(world.asked)
    for _ in range(60):
        assert take(supply).seconds_left > 0
        world.pass_time(10)
    assert len(world.asked) - asked <= 8


def test_error_of_the_source_is_told_when_nothing_is_left() -> None:
    world = Simulation()
    supply = supply_of(world)
    take(supply)
    world.pass_time(61 * MINUTE)
    world.fault = build_fault(retryable=False)
    with pytest.raises(StsExchangeError):
        take(supply)
    assert supply.find_seconds_left() is None


def test_static_stability_says_how_long_the_old_set_is_served() -> None:
    world = Simulation()
    supply = supply_of(world, RenewalPolicy(static_stability_seconds=2 * HOUR))
    take(supply)
    world.fault = build_fault()
    world.pass_time(61 * MINUTE)
    assert 0 < take(supply).seconds_left <= 2 * HOUR


def test_what_never_ends_is_said_to_last_for_an_hour() -> None:
    world = Simulation(lifetime=3650 * 24 * HOUR)
    assert take(supply_of(world)).seconds_left == HOUR


def test_nothing_is_asked_before_the_first_client() -> None:
    world = Simulation()
    supply = supply_of(world)
    assert supply.find_seconds_left() is None
    assert not world.asked
