"""When a library is told to ask again, in a world whose clock the test moves."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botocore_conn_provider.bridges.lending import lend_held
from botocore_conn_provider.errors import StsExchangeError
from botocore_conn_provider.renewal.schedule import RenewalPolicy
from tests.renewal.simulation import HOUR, MINUTE, Simulation, build_fault
from tests.thoroughness import examples

if TYPE_CHECKING:
    from botocore_conn_provider.renewal.keeper import Keeper


class Kept(NamedTuple):
    """What a library keeps, with ends on the world's clock."""

    key_id: str
    told_end: float
    true_end: float


def ask(world: Simulation, keeper: Keeper) -> Kept:
    """Ask as a bridge does."""
    keeper.current()
    lent = lend_held(keeper)
    held = keeper.find_held()
    assert lent is not None
    assert lent.ends_at is not None
    assert held is not None
    now = datetime.datetime.now(datetime.timezone.utc)
    seconds = (lent.ends_at - now).total_seconds()
    return Kept(lent.access_key_id, world.now + seconds, held.serve_until)


@settings(max_examples=examples(100))
@given(
    pauses=st.lists(st.integers(1, 20 * MINUTE), min_size=1, max_size=60),
    lifetime=st.sampled_from([8, MINUTE, 15 * MINUTE, HOUR, 12 * HOUR]),
    faults=st.sets(st.integers(0, 60)),
)
def test_told_end_is_ahead_and_never_later_than_the_true_one(
    pauses: list[int], lifetime: int, faults: set[int]
) -> None:
    world = Simulation(lifetime=lifetime)
    keeper = world.build_keeper()
    for number, pause in enumerate(pauses):
        world.fault = build_fault(retryable=False) if number in faults else None
        try:
            kept = ask(world, keeper)
        except StsExchangeError:
            assert faults  # one that is remembered for a moment, too
        else:
            assert world.now < kept.told_end <= kept.true_end + 1
        world.pass_time(pause)


@pytest.mark.parametrize("lifetime", [MINUTE, 15 * MINUTE, HOUR, 12 * HOUR])
def test_library_that_keeps_to_the_told_end_costs_what_a_client_costs(
    lifetime: int,
) -> None:
    """It asks rarely, and its set has minutes left whenever it is in use."""
    clients, librarys = Simulation(lifetime=lifetime), Simulation(lifetime=lifetime)
    client, keeper = clients.build_keeper(), librarys.build_keeper()
    client.current()
    kept = ask(librarys, keeper)
    asks, least = 1, float("inf")
    for _ in range(24 * HOUR // 10):
        clients.pass_time(10)
        librarys.pass_time(10)
        client.current()
        if librarys.now >= kept.told_end:
            kept, asks = ask(librarys, keeper), asks + 1
        least = min(least, kept.true_end - librarys.now)
    assert len(librarys.asked) <= len(clients.asked)
    assert asks <= 3 * len(librarys.asked)
    assert least > min(lifetime / 10, 5 * MINUTE)


def test_library_is_back_soon_while_a_renewal_is_due() -> None:
    world = Simulation()
    keeper = world.build_keeper()
    first = ask(world, keeper)
    world.fault = build_fault()
    world.pass_time(first.told_end - world.now)
    again = ask(world, keeper)
    assert again.key_id == first.key_id
    assert world.now + 5 < again.told_end < again.true_end - MINUTE


def test_library_keeps_an_expired_set_no_longer_than_it_is_served() -> None:
    world = Simulation()
    keeper = world.build_keeper(RenewalPolicy(static_stability_seconds=HOUR))
    first = ask(world, keeper)
    world.fault = build_fault()
    world.pass_time(65 * MINUTE)
    again = ask(world, keeper)
    assert again.key_id == first.key_id
    assert again.true_end == pytest.approx(first.true_end + HOUR)
    assert world.now < again.told_end <= again.true_end
