"""The keeper through the product: `install()`, processes, store, forks, pickles."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import botocore_conn_provider
from botocore_conn_provider.renewal.registry import keepers
from botocore_conn_provider.renewal.store.ask_log import PREFIX
from botocore_conn_provider.renewal.store.directory import KEY_NAME, LOCK
from tests.aws import Fault
from tests.loopback import LOOPBACK, serve
from tests.renewal.test_store import SPOILT
from tests.sessions.test_rejection import Service
from tests.sessions.wire import Case, World
from tests.thoroughness import examples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.child import Children, Ended, ForkingParent
    from tests.leaks import Leaks

    Arrange = Callable[..., None]

PROCESSES = examples(50)
KEYED = {"login": "@KEY@", "password": "@SECRET@"}
ROLE = {"role_arn": "arn:aws:iam::123456789012:role/reader"}
ASSUMING = {**KEYED, "extra": ROLE}
OTHERS = {
    "keys": {"login": "@OTHER_KEY@", "password": "@OTHER_SECRET@", "extra": ROLE},
    "role": {**KEYED, "extra": {"role_arn": f"{ROLE['role_arn']}s"}},
    "external id": {**KEYED, "extra": {**ROLE, "external_id": "other"}},
}
PROFILE = "[base]\naws_access_key_id=@{0}KEY@\naws_secret_access_key=@{0}SECRET@\n"
INSTALL = """
import sys, os, threading, time, boto3, botocore_conn_provider
botocore_conn_provider.install()
"""
CALL = f"{INSTALL}boto3.client('sts').get_caller_identity()"


@pytest.fixture(autouse=True)
def _users_calls(leaks: Leaks) -> Iterator[None]:
    with leaks.user_calls():
        yield
    keepers.forget()


@pytest.fixture
def set_up(world: World, monkeypatch: pytest.MonkeyPatch) -> Arrange:
    """Set a connection, and the store if a directory for it is given."""

    def arrange(connection: Any, store: Path | None = None, **more: Any) -> None:
        env = {} if store is None else {"BOTOCORE_CONN_STORE": str(store)}
        world.arrange(Case(connection=connection, env=env, **more), monkeypatch)

    return arrange


@pytest.fixture
def run(run_python: Children, forking_parent: ForkingParent) -> Callable[..., Ended]:
    """Run a program in a process that loads what is ours itself; it must end well."""

    def run(code: str, *arguments: str, **more: Any) -> Ended:
        ended = run_python(code, *arguments, parent=forking_parent, **more)
        assert ended.returncode == 0, ended.stderr
        return ended

    return run


def count(world: World, action: str = "AssumeRole") -> int:
    return [each.action for each in world.aws.requests].count(action)


def test_crowd_of_processes_with_an_empty_store_asks_once(
    world: World, set_up: Arrange, run: Callable[..., Ended], tmp_path: Path
) -> None:
    set_up(ASSUMING, tmp_path / "store")
    with ThreadPoolExecutor(PROCESSES) as pool:
        for ended in [pool.submit(run, CALL) for _ in range(PROCESSES)]:
            ended.result()
    assert count(world) == 1
    assert count(world, "GetCallerIdentity") == PROCESSES


READERS = f"""{INSTALL}
import botocore.loaders
load, main = botocore.loaders.JSONFileLoader.load_file, threading.current_thread()
readers = []
def note(self, path):
    if "/sts/" in path and "service-2" in path:
        readers.append("waiting" if threading.current_thread() is main else "other")
    return load(self, path)
botocore.loaders.JSONFileLoader.load_file = note
boto3.client("s3").list_buckets()
print(set(readers))
"""


@pytest.mark.parametrize(
    ("in_store", "readers"), [(False, "{'waiting'}"), (True, "set()")]
)
def test_model_of_sts_is_read_by_who_waits_for_an_exchange(
    world: World,
    set_up: Arrange,
    run: Callable[..., Ended],
    tmp_path: Path,
    *,
    in_store: bool,
    readers: str,
) -> None:
    # What a new thread allocates is memory that no other uses again.
    set_up(ASSUMING, tmp_path / "store" if in_store else None)
    if in_store:
        run(CALL)
    assert run(READERS).stdout.strip() == readers
    assert count(world) == 1


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_other_identity_makes_its_own_call(
    world: World,
    set_up: Arrange,
    run: Callable[..., Ended],
    tmp_path: Path,
    other: Mapping[str, Any],
) -> None:
    asked = []
    for connection in (ASSUMING, other, ASSUMING):
        set_up(connection, tmp_path / "store")
        run(CALL)
        asked.append(count(world))
    assert asked == [1, 2, 2]


def test_other_profile_file_is_another_identity(
    world: World, set_up: Arrange, run: Callable[..., Ended], tmp_path: Path
) -> None:
    connection = {"extra": {**ROLE, "profile_name": "base"}}
    asked = []
    for owner in ("FILE_", "OTHER_"):
        set_up(
            connection, tmp_path / "store", credentials=PROFILE.replace("{0}", owner)
        )
        for _ in range(2):
            run(CALL)
            asked.append(count(world))
    assert asked == [1, 1, 2, 2]
    signers = [each.access_key_id for each in world.aws.requests if each.parameters]
    assert signers == [world.texts["FILE_KEY"], world.texts["OTHER_KEY"]]


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_spoiled_entry_is_a_miss_and_is_replaced(
    world: World,
    set_up: Arrange,
    run: Callable[..., Ended],
    tmp_path: Path,
    spoil: Callable[[Path], object],
) -> None:
    set_up(ASSUMING, tmp_path / "store")
    run(CALL)
    spoil(find_entry(tmp_path / "store"))
    run(CALL)
    run(CALL)
    assert count(world) == 2


def find_entry(store: Path) -> Path:
    (entry,) = (
        path
        for path in store.glob("*/*")
        if path.name != KEY_NAME and not path.name.startswith((LOCK, PREFIX))
    )
    return entry


def test_store_shows_no_secret_in_its_names(
    set_up: Arrange, run: Callable[..., Ended], tmp_path: Path, leaks: Leaks
) -> None:
    set_up(ASSUMING, tmp_path / "store")
    run(CALL)
    leaks.check_text("\n".join(map(str, tmp_path.glob("store/*/*"))))


def test_pickled_credentials_hold_the_recipe_only(
    set_up: Arrange, leaks: Leaks
) -> None:
    set_up(ASSUMING)
    botocore_conn_provider.install()
    credentials = boto3.Session().get_credentials()
    assert credentials is not None
    credentials.get_frozen_credentials()
    leaks.check_pickle(credentials)


POOL = (
    INSTALL
    + """
import concurrent.futures, multiprocessing, operator
credentials = boto3.Session().get_credentials()
mine = credentials.get_frozen_credentials()
context = multiprocessing.get_context(sys.argv[1])
ask = operator.methodcaller("get_frozen_credentials")
with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
    theirs = pool.submit(ask, credentials).result()
print(mine == theirs)
"""
)


@pytest.mark.parametrize("shared", [False, True], ids=["alone", "with the store"])
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pickled_credentials_work_in_a_worker(
    world: World,
    set_up: Arrange,
    run: Callable[..., Ended],
    tmp_path: Path,
    method: str,
    *,
    shared: bool,
) -> None:
    set_up(ASSUMING, tmp_path / "store" if shared else None)
    same = shared or method == "fork"
    assert run(POOL, method).stdout.strip() == str(same)
    assert count(world) == (1 if same else 2)


PREFORK = (
    INSTALL
    + """
client = boto3.client("sts")
client.get_caller_identity()
workers = []
for _ in range(4):
    workers.append(os.fork())
    if workers[-1] == 0:
        client.get_caller_identity()
        boto3.client("sts").get_caller_identity()
        os._exit(0)
sys.exit(sum(os.waitpid(worker, 0)[1] for worker in workers))
"""
)


def test_forked_workers_go_on_with_the_parents_set(
    world: World, set_up: Arrange, run: Callable[..., Ended]
) -> None:
    set_up(ASSUMING)
    run(PREFORK)
    assert count(world) == 1
    assert count(world, "GetCallerIdentity") == 9


FORK_AMID_EXCHANGE = (
    INSTALL
    + """
from botocore_conn_provider import events
begun = threading.Event()
events.add_listener(lambda event: begun.set())
credentials = boto3.Session().get_credentials()
ask = credentials.get_frozen_credentials
thread = threading.Thread(target=ask)
thread.start()
begun.wait()
worker = os.fork()
if worker == 0:
    os._exit(0 if ask().access_key else 1)
failed = os.waitpid(worker, 0)[1]
thread.join()
sys.exit(failed)
"""
)


# A fork waits two seconds for an exchange.
@pytest.mark.parametrize(("seconds", "exchanges"), [(0.2, 1), (3, 2)])
def test_worker_forked_amid_an_exchange_has_its_credentials_or_makes_its_own(
    world: World,
    set_up: Arrange,
    run: Callable[..., Ended],
    seconds: float,
    exchanges: int,
) -> None:
    set_up(ASSUMING)
    world.aws.inject(Fault(delay_seconds=seconds))
    run(FORK_AMID_EXCHANGE)
    assert count(world) == exchanges


class Gate(threading.Event):
    """Knows whether the answer that waits for it has been let go."""

    passed = False

    def wait(self, timeout: float | None = None) -> bool:
        opened = super().wait(timeout)
        self.passed = True
        return opened


EXIT_AMID_RENEWAL = (
    INSTALL
    + """
from botocore_conn_provider import events
begun = []
events.add_listener(lambda event: begun.append(event.kind))
ask = boto3.Session().get_credentials().get_frozen_credentials
while begun.count("renewal_started") < 2:
    ask()
    time.sleep(0.01)
"""
)


def test_exit_does_not_wait_for_a_running_renewal(
    world: World, set_up: Arrange, run_python: Children
) -> None:
    patient = {"read_timeout": 300, "retries": {"total_max_attempts": 1}}
    set_up({**KEYED, "extra": {**ROLE, "config_kwargs": patient}})
    gate = Gate()
    world.aws.inject(Fault(expires_in_seconds=8))
    world.aws.inject(Fault(until=gate))
    ended = run_python(EXIT_AMID_RENEWAL)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert not gate.passed
    gate.set()


def test_rejected_set_is_renewed_before_the_retry_through_install(
    world: World, set_up: Arrange
) -> None:
    set_up(ASSUMING)
    botocore_conn_provider.install()
    service = Service()
    with serve(service) as port:
        client = boto3.client("sts", endpoint_url=f"http://{LOOPBACK}:{port}")
        client.get_caller_identity()
        age_sets(seconds=61)
        service.rejected = {service.seen[0]: "ExpiredToken"}
        client.get_caller_identity()
    assert len(service.seen) == 3
    assert service.seen[0] == service.seen[1] != service.seen[2]
    assert count(world) == 2


def age_sets(*, seconds: float) -> None:
    """Let the sets in hand be older than they are: young ones are not dropped."""
    for keeper in keepers._all.values():
        held = keeper.state.held
        if held is not None:
            keeper.state.held = held._replace(obtained_at=held.obtained_at - seconds)
