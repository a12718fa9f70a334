"""The state machine, in a world whose clock the test moves."""

from __future__ import annotations

import contextlib
import datetime
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from botocore_conn_provider.errors import (
    CredentialFetchError,
    IdpRequestError,
    StsExchangeError,
)
from botocore_conn_provider.renewal.attempt import INTERRUPTED
from botocore_conn_provider.renewal.schedule import Found, Issued, RenewalPolicy
from tests.renewal.simulation import EPOCH, HOUR, MINUTE, Simulation, build_fault, issue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore_conn_provider.exchange.flow import TemporaryCredentials
    from botocore_conn_provider.renewal.attempt import Attempt
    from botocore_conn_provider.renewal.keeper import Keeper
    from botocore_conn_provider.renewal.state import Renewed


def test_first_use_asks_once_in_the_background() -> None:
    world = Simulation()
    keeper = world.build_keeper()
    assert keeper.expires_at is None
    assert keeper.is_renewal_due()
    assert keeper.is_renewal_due(60)
    assert keeper.current() == issue(1, EPOCH + HOUR)
    assert keeper.expires_at == issue(1, EPOCH + HOUR).expires_at
    assert (world.threads_started, len(world.asked)) == (1, 1)
    assert not keeper.is_renewal_due()
    assert not keeper.is_renewal_due(HOUR)
    assert keeper.is_renewal_due(HOUR + 1)


def test_fresh_set_is_served_without_asking() -> None:
    world = Simulation()
    keeper = world.build_keeper()
    first = keeper.current()
    world.pass_time(44 * MINUTE)
    assert keeper.current() is first
    assert len(world.asked) == 1


def test_renewal_in_the_background_serves_the_old_set() -> None:
    world = Simulation(in_threads=True)
    keeper = world.build_keeper()
    old = keeper.current()
    world.pass_time(55 * MINUTE)
    world.gate = threading.Event()
    assert [keeper.current() for _ in range(50)] == [old] * 50
    assert keeper.current_nowait() is old
    renewal = keeper.renewal()
    assert not renewal.cancel()
    world.gate.set()
    new = renewal.result(60).issued.credentials
    assert new.access_key_id == issue(2, 0).access_key_id
    assert keeper.current() is new
    assert keeper.renewal().result().issued.credentials is new
    assert len(world.asked) == 2


def test_callers_wait_for_one_attempt_in_the_mandatory_window() -> None:
    world = Simulation(in_threads=True)
    keeper = world.build_keeper()
    keeper.current()
    world.pass_time(HOUR - 30)
    world.gate = threading.Event()
    with ThreadPoolExecutor(16) as pool:
        waiting = [pool.submit(keeper.current) for _ in range(16)]
        while len(world.asked) < 2:
            pass
        assert not any(one.done() for one in waiting)
        assert keeper.current_nowait() is None
        world.gate.set()
        answers = {one.result(60).access_key_id for one in waiting}
    assert answers == {issue(2, 0).access_key_id}
    assert len(world.asked) == 2


def test_valid_set_is_served_when_the_awaited_renewal_fails() -> None:
    world = Simulation()
    keeper = world.build_keeper()
    old = keeper.current()
    world.fault = build_fault(retryable=False)
    world.pass_time(HOUR - 30)
    assert keeper.current() is old
    assert keeper.current_nowait() is old


@pytest.mark.parametrize("lifetime", [15 * MINUTE, HOUR, 12 * HOUR])
@pytest.mark.parametrize("fault", [build_fault(), build_fault(retryable=False)])
@pytest.mark.parametrize("seed", range(5))
def test_outage_fails_no_request_and_asks_a_handful_of_times(
    lifetime: int, fault: StsExchangeError, seed: int
) -> None:
    world = Simulation(lifetime=lifetime, seed=seed)
    keeper = world.build_keeper()
    old = keeper.current()
    world.fault = fault
    for _ in range(lifetime - 1):
        world.pass_time(1)
        assert keeper.current() is old
    assert 4 <= len(world.asked) - 1 <= 18
    # The last attempt before the callers would wait came in the background.
    mandatory = EPOCH + lifetime - 60
    assert any(mandatory - 30 <= asked <= mandatory for asked in world.asked)
    world.pass_time(2)
    with pytest.raises(StsExchangeError, match="down"):
        keeper.current()


def test_recovery_ends_the_back_off() -> None:
    world = Simulation()
    keeper = world.build_keeper()
    keeper.current()
    world.fault = build_fault()
    world.pass_time(52 * MINUTE)
    keeper.current()
    world.fault = None
    world.pass_time(7 * MINUTE)
    keeper.current()
    assert keeper.current().access_key_id == issue(3, 0).access_key_id
    assert [e.kind for e in world.events if e.degraded] == ["renewal_failed"]


@pytest.mark.parametrize("seed", range(20))
def test_hour_of_short_sessions_asks_six_times(seed: int) -> None:
    world = Simulation(lifetime=15 * MINUTE, seed=seed)
    world.exchange_seconds = 0.0
    keeper = world.build_keeper()
    for _ in range(HOUR):
        keeper.current()
        world.pass_time(1)
    assert len(world.asked) <= 6


def test_day_of_renewals_never_makes_a_caller_wait() -> None:
    world = Simulation()
    world.exchange_seconds = 2.0
    keeper = world.build_keeper()
    keeper.current()
    for _ in range(24 * 60):
        world.pass_time(MINUTE)
        assert keeper.current_nowait() is not None
    assert len(world.asked) <= 33


def test_terminal_error_is_remembered_for_a_burst() -> None:
    world = Simulation()
    world.fault = build_fault(retryable=False)
    keeper = world.build_keeper()
    for _ in range(100):
        with pytest.raises(StsExchangeError):
            keeper.current()
    assert len(world.asked) == 1
    with pytest.raises(StsExchangeError):
        keeper.current_nowait()
    world.pass_time(5.1)
    world.fault = None
    assert keeper.current().access_key_id == issue(2, 0).access_key_id


def test_transient_fault_is_retried_with_jitter_until_the_deadline() -> None:
    world = Simulation()
    world.fault = build_fault()
    keeper = world.build_keeper()
    with pytest.raises(StsExchangeError):
        keeper.current()
    assert 5 <= len(world.asked) <= 8
    assert world.now - EPOCH < 30
    assert max(world.pauses) <= 16.0
    assert len(set(world.pauses)) == len(world.pauses)


def test_idps_fault_is_not_asked_again() -> None:
    world = Simulation()
    world.fault = IdpRequestError(conn_id="x", cause="503.", retryable=True)
    with pytest.raises(IdpRequestError):
        world.build_keeper().current()
    assert len(world.asked) == 1


def test_answer_that_has_expired_is_a_failed_renewal() -> None:
    world = Simulation()
    keeper = world.build_keeper()
    old = keeper.current()
    world.lifetime = -60
    world.pass_time(55 * MINUTE)
    assert keeper.current() is old
    world.pass_time(HOUR)
    with pytest.raises(StsExchangeError) as caught:
        keeper.current()
    text = str(caught.value)
    assert "2027-01-15 09:54:00" in text
    assert "2027-01-15 09:55:00" in text


def test_expired_answer_shows_the_servers_time() -> None:
    world = Simulation()
    server = datetime.datetime(2027, 1, 15, 9, tzinfo=datetime.timezone.utc)
    keeper = world.build_keeper(fetch=lambda: issue(1, EPOCH, server_time=server))
    with pytest.raises(StsExchangeError, match="Date was 2027-01-15 09:00:00 UTC"):
        keeper.current()


def test_static_stability_serves_the_old_set_up_to_its_bound() -> None:
    world = Simulation()
    keeper = world.build_keeper(RenewalPolicy(static_stability_seconds=HOUR))
    old = keeper.current()
    world.fault = build_fault()
    while world.now < EPOCH + 2 * HOUR - 2:
        world.pass_time(1)
        assert keeper.current() is old
    world.pass_time(2)
    with pytest.raises(StsExchangeError):
        keeper.current()
    degraded = [event.kind for event in world.events if event.degraded]
    assert degraded == ["renewal_failed", "served_stale"]


def test_static_stability_ends_with_a_terminal_error() -> None:
    world = Simulation()
    keeper = world.build_keeper(RenewalPolicy(static_stability_seconds=HOUR))
    old = keeper.current()
    world.fault = build_fault()
    world.pass_time(HOUR + 60)
    assert keeper.current() is old
    world.fault = build_fault(retryable=False)
    world.pass_time(20 * MINUTE)
    keeper.current_nowait()
    with pytest.raises(StsExchangeError):
        keeper.current()


def test_rejected_set_is_dropped_once_and_renewed() -> None:
    world = Simulation()
    keeper = world.build_keeper()
    first = keeper.current()
    assert not keeper.reject(first.access_key_id)
    world.pass_time(61)
    assert not keeper.reject("ASIASTRANGER")
    assert keeper.reject(first.access_key_id)
    second = keeper.current()
    assert second.access_key_id == issue(2, 0).access_key_id
    # A late rejection of the old set: sign anew, but keep the new one.
    world.pass_time(61)
    assert keeper.reject(first.access_key_id)
    assert keeper.current() is second


def test_same_set_issued_again_is_not_dropped_again() -> None:
    world = Simulation()
    same = issue(7, EPOCH + HOUR)
    keeper = world.build_keeper(fetch=lambda: same)
    keeper.current()
    world.pass_time(61)
    assert keeper.reject(same.access_key_id)
    assert keeper.current() is same
    world.pass_time(61)
    assert not keeper.reject(same.access_key_id)
    assert keeper.current() is same


def test_without_threads_the_renewal_happens_in_line() -> None:
    world = Simulation()
    keeper = world.build_keeper()
    keeper.current()
    world.threads_allowed = False
    world.pass_time(55 * MINUTE)
    assert keeper.current().access_key_id == issue(2, 0).access_key_id
    assert world.threads_started == 1


def test_hung_attempt_is_given_up_at_its_deadline() -> None:
    world = Simulation(in_threads=True)
    keeper = world.build_keeper()
    old = keeper.current()
    world.gate = hung = threading.Event()
    world.pass_time(55 * MINUTE)
    assert keeper.current() is old
    stuck = keeper.renewal()
    world.pass_time(31)
    assert keeper.current() is old
    assert isinstance(stuck.exception(60), CredentialFetchError)
    world.gate = None
    world.pass_time(5 * MINUTE)
    new = keeper.renewal().result(60).issued.credentials
    assert new.access_key_id == issue(3, 0).access_key_id
    hung.set()
    assert keeper.current() is new


def test_caller_joins_the_deadline_of_a_hung_attempt() -> None:
    world = Simulation(in_threads=True)
    world.gate = threading.Event()
    keeper = world.build_keeper(RenewalPolicy(deadline_seconds=0.0))
    stuck = keeper.renewal()
    with pytest.raises(CredentialFetchError, match="did not answer") as caught:
        keeper.current()
    assert caught.value.retryable
    assert stuck.done()
    world.gate.set()


def test_late_answer_of_an_attempt_that_was_given_up_is_used() -> None:
    world = Simulation()
    keeper: Keeper

    def fetch() -> TemporaryCredentials:
        world.pass_time(31)
        with pytest.raises(CredentialFetchError, match="did not answer"):
            keeper.current_nowait()
        return world.fetch()

    keeper = world.build_keeper(fetch=fetch)
    assert keeper.current() == issue(1, EPOCH + 31 + HOUR)


def test_source_that_asks_the_keeper_is_refused() -> None:
    world = Simulation()
    keeper = world.build_keeper(fetch=lambda: keeper.current())  # noqa: PLW0108
    with pytest.raises(CredentialFetchError, match="from the connection itself"):
        keeper.current()


def test_interrupted_caller_leaves_the_way_to_others() -> None:
    world = Simulation()
    world.threads_allowed = False
    keeper = world.build_keeper()
    world.fault = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        keeper.current()
    world.fault = None
    assert keeper.current().access_key_id == issue(2, 0).access_key_id


def test_who_waited_for_an_interrupted_caller_begins_anew() -> None:
    world = Simulation()
    keeper = world.build_keeper()
    attempt = interrupt_start(keeper, world)
    until = keeper.plan_wait().ends_at
    assert keeper._renewals.wait(attempt, until) is INTERRUPTED
    world.threads_interrupted = False
    assert keeper.current().access_key_id == issue(1, 0).access_key_id


def interrupt_start(keeper: Keeper, world: Simulation) -> Attempt[Renewed]:
    """Return the attempt whose caller is interrupted while he starts its thread."""
    world.threads_interrupted = True
    begun: list[Attempt[Renewed]] = []
    launch = keeper._renewals._launch

    def note(attempt: Attempt[Renewed], *, apart: bool) -> None:
        begun.append(attempt)
        launch(attempt, apart=apart)

    keeper._renewals._launch = note  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        keeper.current()
    return begun[0]


def test_child_keeps_the_set_and_gets_a_lock_of_its_own() -> None:
    world = Simulation()
    keeper = world.build_keeper()
    first = keeper.current()
    planned = keeper.state.held
    lock = keeper._renewals.lock
    with hold_in_another_thread(lock):  # as another thread of the parent would
        keeper._renewals.reset_after_fork()
        keeper.reset_after_fork()
        assert keeper.current() is first
        world.pass_time(2 * HOUR)
        assert keeper.current() is not first
    assert keeper._renewals.lock is not lock
    assert keeper.state.held != planned


@contextlib.contextmanager
def hold_in_another_thread(lock: threading.RLock) -> Iterator[None]:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            done.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(60)
    yield
    done.set()
    thread.join()


def test_child_forked_during_an_outage_keeps_the_back_off() -> None:
    world = Simulation()
    keeper = world.build_keeper()
    keeper.current()
    world.fault = build_fault()
    world.pass_time(55 * MINUTE)
    keeper.current()
    planned = keeper.state.held
    keeper._renewals.reset_after_fork()
    keeper.reset_after_fork()
    assert keeper.state.held == planned


def test_events_tell_the_story() -> None:
    world = Simulation()
    keeper = world.build_keeper()
    keeper.current()
    world.pass_time(61)
    keeper.reject(issue(1, 0).access_key_id)
    world.fault = build_fault(retryable=False)
    with pytest.raises(StsExchangeError):
        keeper.current()
    assert world.kinds() == [
        "renewal_started",
        "renewal_succeeded",
        "rejected",
        "renewal_started",
        "renewal_failed",
    ]
    assert [event.seconds_to_expiry for event in world.events] == [
        None,
        HOUR,
        HOUR - 61,
        None,
        None,
    ]
    assert not any(event.degraded for event in world.events)


YOUNG = HOUR / 12


def test_wait_ahead_renews_a_set_that_is_too_short_and_not_young() -> None:
    world = Simulation()
    keeper = world.build_keeper()
    keeper.current()
    for age, asked in ((YOUNG, 1), (YOUNG + 1, 2)):
        world.now = EPOCH + age
        keeper.wait_ahead(HOUR, least_age_seconds=YOUNG)
        assert len(world.asked) == asked
    world.pass_time(20 * MINUTE)
    keeper.wait_ahead(30 * MINUTE, least_age_seconds=YOUNG)  # more is left
    assert len(world.asked) == 2
    assert keeper.expires_at == issue(2, EPOCH + YOUNG + 1 + HOUR).expires_at


def test_wait_ahead_of_a_crowd_is_one_renewal_and_one_wait() -> None:
    world = Simulation(in_threads=True)
    keeper = world.build_keeper()
    keeper.current()
    world.pass_time(20 * MINUTE)
    world.gate = threading.Event()
    with ThreadPoolExecutor(20) as pool:
        waits = [
            pool.submit(keeper.wait_ahead, HOUR, least_age_seconds=YOUNG)
            for _ in range(20)
        ]
        assert not any(wait.done() for wait in waits)
        world.gate.set()
        for wait in waits:
            wait.result()
    assert len(world.asked) == 2


def test_failed_renewal_ahead_is_not_repeated_before_its_back_off() -> None:
    world = Simulation()
    keeper = world.build_keeper()
    first = keeper.current()
    world.pass_time(20 * MINUTE)
    world.fault = build_fault(retryable=False)
    for _ in range(1000):
        keeper.wait_ahead(HOUR, least_age_seconds=YOUNG)
        world.pass_time(0.2)
    assert len(world.asked) == 2
    assert keeper.current() is first
    world.pass_time(10 * MINUTE)
    keeper.wait_ahead(HOUR, least_age_seconds=YOUNG)
    assert len(world.asked) == 3


def test_wait_ahead_leaves_with_the_valid_set_when_its_patience_ends() -> None:
    world = Simulation(in_threads=True)
    keeper = world.build_keeper(RenewalPolicy(deadline_seconds=5))
    keeper.current()
    world.pass_time(20 * MINUTE)
    world.gate = threading.Event()
    waited: list[float] = []

    def wait(_: object, seconds: float) -> None:
        waited.append(seconds)
        world.pass_time(seconds)

    keeper._renewals._runtime = keeper._renewals._runtime._replace(wait=wait)
    for _ in range(100):
        keeper.wait_ahead(HOUR, least_age_seconds=YOUNG)
    assert waited == [5.0]
    # It is tried again in the background, but who knows that it is down does not wait.
    world.pass_time(10 * MINUTE)
    keeper.wait_ahead(HOUR, least_age_seconds=YOUNG)
    assert world.kinds().count("renewal_started") == 3
    assert waited == [5.0]
    world.gate.set()


def test_wait_ahead_in_the_thread_of_the_renewal_does_not_wait() -> None:
    world = Simulation()

    def ask() -> TemporaryCredentials:
        if world.asked:
            keeper.wait_ahead(HOUR, least_age_seconds=YOUNG)  # as a listener may
        return world.fetch()

    keeper = world.build_keeper(fetch=ask)
    keeper.current()
    world.pass_time(20 * MINUTE)
    keeper.wait_ahead(HOUR, least_age_seconds=YOUNG)
    assert len(world.asked) == 2


def test_wait_ahead_does_not_wait_for_a_renewal_while_enough_is_left() -> None:
    world = Simulation(in_threads=True)
    keeper = world.build_keeper()
    first = keeper.current()
    world.pass_time(55 * MINUTE)
    world.gate = threading.Event()
    assert keeper.current() is first  # which began a renewal in the background
    waited: list[float] = []
    keeper._renewals._runtime = keeper._renewals._runtime._replace(
        wait=lambda _, seconds: waited.append(seconds)
    )
    keeper.wait_ahead(4 * MINUTE, least_age_seconds=YOUNG)
    assert waited == []
    world.gate.set()


class OlderFirst:
    """A store in which another process put credentials some minutes ago."""

    def __init__(self, stored: Issued) -> None:
        self.stored = stored

    def obtain(
        self, fetch: Callable[[], Issued], *, accept: Callable[[Issued], bool], **_: Any
    ) -> Found:
        is_hit = accept(self.stored)
        issued = self.stored if is_hit else fetch()
        return Found(issued, from_store=is_hit, waited_seconds=0.0)


@pytest.mark.parametrize(("age", "asked"), [(2 * MINUTE, 1), (10 * MINUTE, 2)])
def test_wait_ahead_goes_on_where_the_store_has_no_more_than_a_newer_set(
    age: float, asked: int
) -> None:
    world = Simulation()
    now = EPOCH + 20 * MINUTE
    stored = Issued(issue(9, now - age + HOUR), now - age, now - age + HOUR)
    store = OlderFirst(Issued(issue(8, EPOCH), EPOCH - HOUR, EPOCH))
    keeper = world.build_keeper(store=store)
    keeper.current()
    store.stored = stored
    world.now = now
    keeper.wait_ahead(HOUR, least_age_seconds=YOUNG)
    assert len(world.asked) == asked
    assert world.kinds().count("store_hit") == 1
