"""Who waits for what, and for how long: the keeper in virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.errors import CredentialFetchError, StsExchangeError
from botocore_conn_provider.renewal.deferred_keeper import DeferredKeeper
from botocore_conn_provider.renewal.runtime import Runtime
from botocore_conn_provider.renewal.schedule import RenewalPolicy
from tests.renewal.simulation import Simulation, build_fault
from tests.renewal.waiting_world import DEADLINE, HANGS, WaitingWorld

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore_conn_provider.renewal.keeper import Keeper


def test_first_caller_of_a_hanging_source_waits_for_the_deadline(
    world: WaitingWorld,
) -> None:
    world.answer_seconds = HANGS
    caller = world.call()
    world.time.run(100)
    assert caller.waited == DEADLINE
    assert isinstance(caller.error, CredentialFetchError)


def test_caller_who_joins_late_waits_no_longer_than_the_attempt(
    world: WaitingWorld,
) -> None:
    world.answer_seconds = HANGS
    world.call()
    world.time.run(20)
    second = world.call()
    world.time.run(100)
    assert second.waited == DEADLINE - 20
    assert len(world.asked) == 1


@pytest.mark.parametrize("left", [59.0, 31.0, 10.0, 2.0, 0.1])
def test_caller_in_the_last_minute_leaves_with_the_valid_set(
    world: WaitingWorld, left: float
) -> None:
    first = world.call()
    world.time.run(1)
    assert first.got is not None
    world.answer_seconds = HANGS
    world.time.run(3600 - left)
    caller = world.call()
    world.time.run(100)
    assert caller.got is first.got
    assert caller.waited == pytest.approx(min(DEADLINE, left / 2))


def test_attempt_that_outlives_a_callers_patience_serves_the_next(
    world: WaitingWorld,
) -> None:
    first = world.call()
    world.time.run(1)
    world.time.run(3600 - 20)
    world.answer_seconds = 15.0
    impatient = world.call()
    world.time.run(20)
    assert impatient.got is first.got
    served = world.call()
    assert served.got is not None
    assert served.got is not first.got
    assert len(world.asked) == 2


def test_process_that_stood_still_while_it_waited_waits_on(world: WaitingWorld) -> None:
    first = world.call()
    world.time.run(1 + 3600 - 4)
    world.answer_seconds = 20.0
    caller = world.call()
    world.time.now += 10  # stopped, or asleep: the set has expired meanwhile
    world.time.run(30)
    assert caller.error is None
    assert caller.got is not first.got
    assert caller.waited == pytest.approx(20.0)


def test_interrupted_caller_is_the_only_one(world: WaitingWorld) -> None:
    world.answer_seconds = 10.0
    callers = [world.call() for _ in range(3)]
    world.time.run(1)
    callers[0].actor.interrupt = KeyboardInterrupt()
    world.time.run(20)
    assert isinstance(callers[0].error, KeyboardInterrupt)
    assert callers[1].got is callers[2].got is not None
    assert len(world.asked) == 1


class SoftTimeLimitError(Exception):
    """What a worker raises from a signal handler: no BaseException."""


def test_time_limit_of_one_caller_is_no_failure_of_the_renewal(
    world: WaitingWorld,
) -> None:
    world.answer_seconds = 10.0
    limited, other = world.call(), world.call()
    limited.actor.interrupt = SoftTimeLimitError()
    world.time.run(20)
    assert isinstance(limited.error, SoftTimeLimitError)
    assert other.got is not None
    assert world.call().got is other.got


def test_time_limit_without_threads_is_no_failure_of_the_renewal() -> None:
    world = Simulation()
    world.threads_allowed = False
    keeper = world.build_keeper()
    world.fault = SoftTimeLimitError()
    with pytest.raises(SoftTimeLimitError):
        keeper.current()
    world.fault = None
    assert keeper.current() is not None


def test_each_caller_has_an_error_of_his_own(world: WaitingWorld) -> None:
    world.fault = build_fault(retryable=False)
    callers = [world.call() for _ in range(3)]
    world.time.run(1)
    callers.append(world.call())  # is told what is remembered
    errors = [caller.error for caller in callers]
    assert len({id(error) for error in [*errors, world.fault]}) == 5
    assert {type(error) for error in errors} == {StsExchangeError}
    assert {str(error) for error in errors} == {str(world.fault)}
    assert len(world.asked) == 1


def test_error_holds_nothing_of_another_caller() -> None:
    world = Simulation()
    world.fault = build_fault(retryable=False)
    keeper = world.build_keeper()
    with pytest.raises(StsExchangeError) as first:
        ask_while_handling_another_error(keeper)
    with pytest.raises(StsExchangeError) as second:
        keeper.current()
    assert isinstance(first.value.__context__, RuntimeError)
    assert second.value.__context__ is None
    assert second.value.__cause__ is None
    world.fault = None
    assert world.kinds() == ["renewal_started", "renewal_failed"]


def ask_while_handling_another_error(keeper: Keeper) -> None:
    try:
        raise RuntimeError("what the first caller was handling")  # noqa: TRY301
    except RuntimeError:
        keeper.current()


def test_signal_handler_may_ask_while_the_lock_is_held() -> None:
    keeper = Simulation().build_keeper()
    with keeper._renewals.lock:  # a handler runs in the thread that it interrupts
        assert keeper.current() is not None


def test_signal_handler_may_ask_while_the_thread_is_being_started() -> None:
    world = Simulation()
    keeper = world.build_keeper()
    asked_by_handler = []

    def start_later(work: Callable[[], None]) -> None:
        asked_by_handler.append(keeper.current())  # as a handler would, in this thread
        work()

    keeper._renewals._runtime = world.runtime()._replace(start_thread=start_later)
    assert [keeper.current()] == asked_by_handler
    assert len(world.asked) == 1


def defer(world: WaitingWorld, find_seconds: float) -> DeferredKeeper:
    keeper = world.keeper

    def find() -> Keeper:
        world.time.sleep(find_seconds)
        return keeper

    runtime = Runtime(
        elapsed=world.read_steady_clock,
        start_thread=world._start,
        wait=world.time.wait,
    )
    policy = RenewalPolicy(deadline_seconds=DEADLINE)
    return DeferredKeeper(find, conn_id="x", policy=policy, runtime=runtime)


@pytest.mark.parametrize("find_seconds", [HANGS, 29.0])
def test_finding_out_who_asks_counts_into_the_deadline(
    world: WaitingWorld, find_seconds: float
) -> None:
    world.asks = defer(world, find_seconds)
    world.answer_seconds = HANGS
    callers = [world.call() for _ in range(3)]
    world.time.run(100)
    assert [caller.waited for caller in callers] == [DEADLINE] * 3
    assert {type(caller.error) for caller in callers} == {CredentialFetchError}


def test_all_callers_find_out_who_asks_once(world: WaitingWorld) -> None:
    world.asks = deferred = defer(world, 5.0)
    assert deferred.settled is deferred
    assert deferred.expires_at is None
    assert deferred.is_renewal_due()
    callers = [world.call() for _ in range(3)]
    world.time.run(10)
    assert len({caller.got for caller in callers} - {None}) == 1
    assert [caller.waited for caller in callers] == [6.0] * 3
    found: object = deferred.settled
    assert found is world.keeper
    assert deferred.expires_at == world.keeper.expires_at
    assert not deferred.is_renewal_due()
    assert world.call().waited == 0
