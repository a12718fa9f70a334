"""What AWS or an IdP answered one process of a machine is an answer to all of them."""

from __future__ import annotations

import errno
import functools
import json
import math
import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from ast import literal_eval
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.errors import (
    ConnProviderError,
    CredentialFetchError,
    IdpRequestError,
    SamlResponseError,
    StsExchangeError,
)
from botocore_conn_provider.renewal.keeper import Keeper
from botocore_conn_provider.renewal.repeats import OUTLIVED, Pauses, Repeats
from botocore_conn_provider.renewal.runtime import Runtime
from botocore_conn_provider.renewal.schedule import Issued, RenewalPolicy
from botocore_conn_provider.renewal.store.failure_record import SUFFIX
from botocore_conn_provider.renewal.store.machine_store import MachineStore
from tests.aws import Fault, build_error
from tests.renewal.simulation import EPOCH, HOUR, MINUTE, Simulation, issue

if TYPE_CHECKING:
    from tests.aws import Aws
    from tests.leaks import Secrets

Spoil = Callable[[Path], object]


def build_busy(
    cause: str = "STS is busy.", *, code: str = "Throttling", retryable: bool = True
) -> StsExchangeError:
    return StsExchangeError(conn_id="x", cause=cause, code=code, retryable=retryable)


def build_denied() -> StsExchangeError:
    return build_busy("STS refused it.", code="AccessDenied", retryable=False)


class Machine:
    """Processes of one machine, one at a time, on a store of files."""

    def __init__(self, path: Path) -> None:
        self.world = Simulation()
        self.path = path / "store"

    def start(self, *, identity: str = "f", clocks: Runtime | None = None) -> Keeper:
        """Return the keeper of a new process."""
        runtime = clocks or self.world.runtime()
        return Keeper(
            lambda repeat: repeat(self.world.fetch),
            conn_id="x",
            store=MachineStore(self.path, identity, runtime=runtime),
            runtime=runtime,
        )

    def be_told(self, fault: ConnProviderError, *, identity: str = "f") -> Keeper:
        """Have a process be answered that; return its keeper."""
        self.world.fault = fault
        keeper = self.start(identity=identity)
        with pytest.raises(type(fault)):
            keeper.current()
        return keeper

    def count_asked(self, work: Callable[[], object]) -> int:
        before = len(self.world.asked)
        work()
        return len(self.world.asked) - before

    def find_record(self) -> Path:
        (record,) = self.path.glob(f"*{SUFFIX}")
        return record


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def fails(keeper: Keeper, match: str | None = None) -> Callable[[], None]:
    def ask() -> None:
        with pytest.raises(ConnProviderError, match=match):
            keeper.current()

    return ask


REFUSALS = [
    build_denied(),
    IdpRequestError(conn_id="x", cause="401.", answered=True),
    IdpRequestError(conn_id="x", cause="503.", answered=True, retryable=True),
    SamlResponseError(conn_id="x", cause="no role."),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_refusal_is_told_to_the_others_unasked(
    machine: Machine, refusal: CredentialFetchError
) -> None:
    machine.be_told(refusal)
    others = [machine.start() for _ in range(16)]
    assert sum(machine.count_asked(fails(other)) for other in others) == 0
    told = machine.start()
    with pytest.raises(type(refusal), match="Another process of this machine") as seen:
        told.current()
    assert (seen.value.hint, seen.value.retryable) == (refusal.hint, refusal.retryable)


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_refusal_is_forgotten_as_soon_as_a_process_itself_would(
    machine: Machine, refusal: CredentialFetchError
) -> None:
    machine.be_told(refusal)
    machine.world.fault = None
    machine.world.pass_time(5.01)
    assert machine.start().current()


OWN_FAULTS = [
    build_busy(code=""),
    build_busy("a proxy answered 403.", code="403", retryable=False),
    build_busy("a proxy's page.", code="Unknown", retryable=False),
    build_busy("a proxy answered 503.", code="503"),
    build_busy("a proxy's page with 503.", code="Unknown"),
    IdpRequestError(conn_id="x", cause="no connection.", retryable=True),
    CredentialFetchError(conn_id="x", cause="no file."),
    *[build_busy(code=code, retryable=False) for code in OUTLIVED],
]


@pytest.mark.parametrize("fault", OWN_FAULTS, ids=str)
def test_fault_that_may_be_one_processs_own_is_not_told(
    machine: Machine, fault: CredentialFetchError
) -> None:
    machine.be_told(fault)
    machine.world.fault = None
    assert machine.count_asked(machine.start().current) == 1
    assert not list(machine.path.glob(f"*{SUFFIX}"))


def test_busy_sts_is_asked_by_sixteen_processes_as_by_one(machine: Machine) -> None:
    machine.be_told(build_busy())
    began, asked = machine.world.now, len(machine.world.asked)
    others = [machine.start() for _ in range(16)]
    while machine.world.now < began + 600:
        for other in others:
            fails(other, "busy")()
        machine.world.pass_time(0.5)
    took = machine.world.now - began
    # One process asks every 8 to 16 s by then.
    assert took / 16.5 - 2 <= len(machine.world.asked) - asked <= took / 8


def test_who_lets_others_go_first_is_still_answered_within_the_deadline(
    tmp_path: Path,
) -> None:
    policy = RenewalPolicy(deadline_seconds=6)
    for seed in range(40):
        world = Simulation(seed=seed)
        world.fault = build_busy()
        runtime, began = world.runtime(), world.now
        store = MachineStore(tmp_path / f"store-{seed}", "f", runtime=runtime)
        keeper = Keeper(
            lambda repeat, world=world: repeat(world.fetch),  # type: ignore[misc]
            conn_id="x",
            policy=policy,
            store=store,
            runtime=runtime,
        )
        fails(keeper, "busy")()
        assert world.now - began < policy.deadline_seconds


def test_process_gets_credentials_16_s_after_a_busy_sts_is_well(
    machine: Machine,
) -> None:
    keeper = machine.be_told(build_busy())
    for _ in range(10):
        fails(keeper)()
        machine.world.pass_time(5)
    machine.world.fault = None
    began = machine.world.now
    assert machine.start().current()
    assert machine.world.now - began <= 16.5


def test_success_ends_the_back_off_of_the_machine(machine: Machine) -> None:
    machine.be_told(build_busy())
    machine.world.fault = None
    keeper = machine.start()
    keeper.current()
    assert not list(machine.path.glob(f"*{SUFFIX}"))
    machine.world.pass_time(HOUR + 1)
    machine.world.pauses.clear()
    machine.be_told(build_busy())
    assert machine.world.pauses[0] <= 1


def test_credentials_that_come_during_a_pause_end_it(machine: Machine) -> None:
    other = machine.start()
    pause = machine.world._pause

    def let_another_in(seconds: float) -> None:
        pause(seconds)
        machine.world.fault = None
        other.current()

    runtime = machine.world.runtime()._replace(pause=let_another_in)
    machine.world.fault = build_busy(code="")
    keeper = machine.start(clocks=runtime)
    assert keeper.current() == other.current()
    assert len(machine.world.asked) == 2


def make_link(path: Path) -> None:
    target = path.with_name("target")
    path.rename(target)
    path.symlink_to(target)


def make_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


SPOILS: dict[str, Spoil] = {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "empty": lambda path: path.write_bytes(b""),
    "edited": lambda path: path.write_bytes(
        path.read_bytes().replace(b"AccessDenied", b"AccessDenies")
    ),
    "open to others": lambda path: path.chmod(0o644),
    "a link": make_link,
    "a directory": make_directory,
}


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_spoiled_record_counts_as_none(machine: Machine, spoil: Spoil) -> None:
    machine.be_told(build_denied())
    spoil(machine.find_record())
    machine.world.fault = None
    assert machine.count_asked(machine.start().current) == 1


def test_record_counts_for_its_identity_only(machine: Machine) -> None:
    machine.be_told(build_denied())
    record = machine.find_record()
    machine.be_told(build_denied(), identity="g")
    (others,) = {*machine.path.glob(f"*{SUFFIX}")} - {record}
    machine.world.fault = None
    machine.world.pass_time(6)
    assert machine.start(identity="g").current()
    machine.be_told(build_denied(), identity="h")
    (third,) = {*machine.path.glob(f"*{SUFFIX}")} - {record, others}
    shutil.copy2(third, record)
    machine.world.fault = None
    assert machine.count_asked(machine.start().current) == 1


def test_refusal_is_not_told_to_who_asks_by_another_proxy(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://secret:word@127.0.0.1:1")
    machine.be_told(build_denied())
    assert "word" not in machine.find_record().read_text()
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:2")
    machine.world.fault = None
    assert machine.count_asked(machine.start().current) == 1


@pytest.mark.parametrize("step", [-HOUR / 2, HOUR / 2])
def test_record_is_not_believed_after_the_clock_was_set(
    machine: Machine, step: float
) -> None:
    machine.be_told(build_denied())
    machine.world.fault = None
    world = machine.world
    clocks = world.runtime()._replace(now=lambda: world.now + step)
    assert machine.count_asked(machine.start(clocks=clocks).current) == 1


def test_record_is_a_private_file_without_a_secret(machine: Machine) -> None:
    machine.be_told(build_busy())
    record = machine.find_record()
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    body = json.loads(record.read_bytes().partition(b"\n")[2])
    assert set(body["parts"]) == {"conn_id", "cause", "hint", "retryable", "code"}


def test_record_that_cannot_be_written_changes_no_error(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", refuse)
    machine.be_told(build_denied())
    fails(machine.start(), "STS refused it")()


def renew_in_the_background(keeper: Keeper) -> None:
    assert keeper.is_renewal_due()
    keeper.current()


def test_renewal_in_the_background_is_not_tried_by_each_process(
    machine: Machine,
) -> None:
    keepers = [machine.start() for _ in range(16)]
    for keeper in keepers:
        keeper.current()
    machine.world.fault = build_busy()
    machine.world.pass_time(HOUR - 8 * MINUTE)
    asked = [
        machine.count_asked(functools.partial(renew_in_the_background, keeper))
        for keeper in keepers
    ]
    assert asked == [2, *[0] * 15]
    assert all(keeper.is_failing for keeper in keepers)


def test_renewal_is_tried_once_more_before_anybody_has_to_wait(
    machine: Machine,
) -> None:
    first, second = machine.start(), machine.start()
    first.current()
    second.current()
    machine.world.pass_time(HOUR - 8 * MINUTE)
    machine.world.fault = build_busy()
    renew_in_the_background(first)
    machine.world.fault = None
    while not second.is_failing or not second.is_renewal_due():
        second.current()
        machine.world.pass_time(1)
    while second.expires_at == first.expires_at:
        second.current()
        machine.world.pass_time(1)
    held = first.state.held
    assert held is not None
    assert machine.world.now < held.ends_at - MINUTE


def run_in_threads(works: list[Callable[[], object]]) -> None:
    with ThreadPoolExecutor(len(works)) as pool:
        for ended in [pool.submit(work) for work in works]:
            ended.result(60)


def build_repeats(seconds: float) -> Repeats:
    policy, runtime = RenewalPolicy(), Runtime()
    deadline = runtime.elapsed() + seconds
    return Repeats(Pauses(policy, runtime), deadline, most=1, runtime=runtime)


def test_processes_that_cannot_reach_sts_wait_for_their_turn(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def try_in_vain() -> Issued:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.05)
        inside.pop()
        raise build_busy(code="")

    def run() -> None:
        # All of them together wait for longer than for a holder that is stuck.
        store = MachineStore(tmp_path / "store", "f", lock_seconds=0.3)
        with pytest.raises(StsExchangeError):
            store.obtain(try_in_vain, accept=lambda _: True, repeats=build_repeats(60))

    run_in_threads([run] * 16)
    assert (len(most), max(most)) == (16, 1)


def test_who_gets_no_turn_until_the_deadline_is_told_so(tmp_path: Path) -> None:
    is_held, is_over = threading.Event(), threading.Event()

    def take_turns() -> Issued:
        """Hold the lock, as a row of processes does that each hold it for a moment."""
        is_held.set()
        (lock,) = (tmp_path / "store").glob("lock-*")
        while not is_over.wait(0.005):
            os.utime(lock)
        return Issued(issue(1, 4e9), EPOCH, 4e9)

    def obtain(fetch: Callable[[], Issued], seconds: float) -> None:
        repeats = build_repeats(seconds)
        repeats.conn_id = "mine"
        store = MachineStore(tmp_path / "store", "f", lock_seconds=60)
        store.obtain(fetch, accept=lambda _: False, repeats=repeats)

    def ask_in_vain() -> None:
        assert is_held.wait(60)
        with pytest.raises(CredentialFetchError, match="'mine': other processes"):
            obtain(take_turns, 1)
        is_over.set()

    run_in_threads([functools.partial(obtain, take_turns, 60), ask_in_vain])
    assert is_over.is_set()


@pytest.mark.parametrize("lock_seconds", [0.2, 60], ids=["short", "past the deadline"])
def test_holder_that_is_stuck_keeps_nobody_from_asking_in_time(
    tmp_path: Path, lock_seconds: float
) -> None:
    is_held, is_over = threading.Event(), threading.Event()

    def hang() -> Issued:
        is_held.set()
        assert is_over.wait(60)
        return Issued(issue(1, 4e9), EPOCH, 4e9)

    def obtain(fetch: Callable[[], Issued], seconds: float) -> None:
        store = MachineStore(tmp_path / "store", "f", lock_seconds=lock_seconds)
        store.obtain(fetch, accept=lambda _: False, repeats=build_repeats(seconds))

    def ask_alone() -> None:
        assert is_held.wait(60)
        obtain(lambda: Issued(issue(2, 4e9), EPOCH, 4e9), 2)
        is_over.set()

    run_in_threads([functools.partial(obtain, hang, 60), ask_alone])
    assert is_over.is_set()


WORKER = """
import json, sys, time
from botocore_conn_provider import session
until = time.time() + 9
kinds = set()
while time.time() < until:
    try:
        session("x").get_credentials().get_frozen_credentials()
        break
    except Exception as error:
        kinds.add((type(error).__name__, "Another process" in str(error)))
    time.sleep(0.3)
print(sorted(kinds))
"""


def test_processes_of_a_node_ask_a_refusing_sts_as_one_does(
    aws: Aws, secrets: Secrets, tmp_path: Path
) -> None:
    """Eight real processes that call on and on, counted on the wire."""
    aws.inject(Fault(403, build_error("AccessDenied", "No.")), times=1000)
    record = {
        "conn_type": "aws",
        "login": secrets.new_access_key_id(),
        "password": secrets.new("secret key"),
        "extra": {
            "role_arn": "arn:aws:iam::123456789012:role/r",
            "region_name": "eu-west-1",
            "service_config": {"sts": {"endpoint_url": aws.url}},
            "botocore_conn_provider": {"store": str(tmp_path / "store")},
        },
    }
    environ = {**os.environ, "AIRFLOW_CONN_X": json.dumps(record)}
    began = time.monotonic()
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER],
            env=environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    told = [worker.communicate(timeout=120)[0] for worker in workers]
    kinds = {each for line in told for each in literal_eval(line)}
    assert {name for name, _ in kinds} == {"StsExchangeError"}
    assert ("StsExchangeError", True) in kinds
    asked = [each for each in aws.requests if each.is_sts]
    # A refusal answers for a second at least, for all eight of them.
    assert 1 <= len(asked) <= time.monotonic() - began + 1


@pytest.mark.parametrize(
    ("waits_from", "ends_at", "latest"),
    [(4.0, 8.0, 5.0), (7.9, 8.0, 5.0), (1.0, 2.5, 3.0), (20.0, 60.0, math.inf)],
)
def test_pause_leaves_credentials_of_a_short_window_the_time_to_be_renewed(
    waits_from: float, ends_at: float, latest: float
) -> None:
    runtime = Simulation().runtime()
    repeats = Repeats(
        Pauses(RenewalPolicy(), runtime),
        runtime.elapsed() + 30,
        most=1,
        runtime=runtime,
        spare_until=waits_from,
        valid_until=ends_at,
    )
    assert repeats.find_latest(2.0) == latest
