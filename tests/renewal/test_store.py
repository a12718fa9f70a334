"""The store: what is read, what is a miss, who renews."""

from __future__ import annotations

import errno
import json
import os
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.renewal.schedule import Issued
from botocore_conn_provider.renewal.store import directory as directories
from botocore_conn_provider.renewal.store import machine_store as store_module
from botocore_conn_provider.renewal.store.machine_store import MachineStore
from botocore_conn_provider.renewal.store.places import find_store_directory
from tests.child import DEADLINE_SECONDS
from tests.renewal.simulation import EPOCH, HOUR, Simulation, issue
from tests.thoroughness import examples

if TYPE_CHECKING:
    from tests.child import Children

Spoil = Callable[[Path], object]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(store_module, "_warned", set())
    return tmp_path / "store"


def obtain(place: Path, number: int, *, fingerprint: str = "f") -> tuple[bool, str]:
    world = Simulation()
    store = MachineStore(place, fingerprint, runtime=world.runtime())
    found = store.obtain(
        lambda: Issued(issue(number, EPOCH + HOUR), EPOCH, EPOCH + HOUR),
        accept=lambda _: True,
    )
    return found.from_store, found.issued.credentials.access_key_id


def find_entry(place: Path) -> Path:
    (entry,) = [p for p in place.iterdir() if len(p.name) == 64]
    return entry


def test_second_process_finds_what_the_first_stored(place: Path) -> None:
    assert obtain(place, 1) == (False, issue(1, 0).access_key_id)
    assert obtain(place, 2) == (True, issue(1, 0).access_key_id)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in place.iterdir()} == {0o600}


def test_whole_set_comes_back(place: Path) -> None:
    store = MachineStore(place, "f", runtime=Simulation().runtime())
    keys = issue(1, EPOCH + HOUR, account_id="123456789012")
    issued = Issued(keys, EPOCH, EPOCH + HOUR)
    store.obtain(lambda: issued, accept=lambda _: True)
    assert store.obtain(pytest.fail, accept=lambda _: True).issued == issued


def test_other_identity_shares_nothing(place: Path) -> None:
    obtain(place, 1, fingerprint="f")
    assert obtain(place, 2, fingerprint="g") == (False, issue(2, 0).access_key_id)


def test_names_tell_nothing_about_the_identity(place: Path) -> None:
    obtain(place, 1, fingerprint="f")
    obtain(place.with_name("other"), 1, fingerprint="f")
    assert find_entry(place).name != find_entry(place.with_name("other")).name


def test_entry_under_another_identitys_name_is_a_miss(place: Path) -> None:
    obtain(place, 1, fingerprint="f")
    stolen = find_entry(place)
    content = stolen.read_bytes()
    stolen.unlink()
    obtain(place, 2, fingerprint="g")
    find_entry(place).write_bytes(content)
    assert obtain(place, 3, fingerprint="g") == (False, issue(3, 0).access_key_id)


def cut_in_half(entry: Path) -> None:
    entry.write_bytes(entry.read_bytes()[:200])


def edit(entry: Path) -> None:
    seal, _, content = entry.read_bytes().partition(b"\n")
    body = {**json.loads(content), "access_key_id": "ASIAEVIL"}
    entry.write_bytes(seal + b"\n" + json.dumps(body).encode())


def link_elsewhere(entry: Path) -> None:
    entry.symlink_to(entry.rename(entry.with_name("elsewhere")))


def replace_by_pipe(entry: Path) -> None:
    entry.unlink()
    os.mkfifo(entry, 0o600)


SPOILT: dict[str, Spoil] = {
    "half": cut_in_half,
    "edited": edit,
    "empty": lambda entry: entry.write_bytes(b""),
    "junk": lambda entry: entry.write_bytes(os.urandom(500)),
    "huge": lambda entry: entry.write_bytes(b"x" * 70_000),
    "readable by others": lambda entry: entry.chmod(0o644),
    "foreign": lambda entry: os.chown(entry, 65534, 65534),
    "link": link_elsewhere,
    "pipe": replace_by_pipe,
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
def test_spoilt_entry_is_a_miss_and_is_replaced(place: Path, spoil: Spoil) -> None:
    obtain(place, 1)
    spoil(find_entry(place))
    assert obtain(place, 2) == (False, issue(2, 0).access_key_id)
    assert obtain(place, 3) == (True, issue(2, 0).access_key_id)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: key.write_bytes(b"short"),
        lambda key: key.chmod(0o640),
        link_elsewhere,
        lambda key: key.unlink(),
    ],
)
def test_spoilt_key_is_a_miss_and_is_replaced(place: Path, spoil: Spoil) -> None:
    obtain(place, 1)
    spoil(place / directories.KEY_NAME)
    assert obtain(place, 2) == (False, issue(2, 0).access_key_id)
    assert obtain(place, 3) == (True, issue(2, 0).access_key_id)


UNSAFE: dict[str, Spoil] = {
    "open to others": lambda place: place.chmod(0o755),
    "foreign": lambda place: os.chown(place, 65534, 65534),
    "link": link_elsewhere,
    "file": lambda place: (place.rename(place.with_name("x")), place.write_text("")),
}


@pytest.mark.parametrize("spoil", UNSAFE.values(), ids=UNSAFE.keys())
def test_unsafe_directory_is_not_used_and_told_once(
    place: Path, spoil: Spoil, caplog: pytest.LogCaptureFixture
) -> None:
    obtain(place, 1)
    spoil(place)
    assert obtain(place, 2) == (False, issue(2, 0).access_key_id)
    assert obtain(place, 3) == (False, issue(3, 0).access_key_id)
    assert [r.levelname for r in caplog.records if "store" in r.name] == [
        "WARNING",
        "DEBUG",
    ]


def test_full_disk_is_no_reason_to_fail(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    obtain(place, 1)

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "replace", fail)
    find_entry(place).unlink()
    assert obtain(place, 2) == (False, issue(2, 0).access_key_id)
    assert not [p for p in place.iterdir() if p.name.startswith(".new-")]


def test_passing_fault_does_not_throw_the_key_away(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    obtain(place, 1)
    key = (place / "key").read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "too many")

    with monkeypatch.context() as patched:
        patched.setattr(directories, "read_private", fail)
        assert obtain(place, 2)[0] is False
    assert (place / "key").read_bytes() == key


def test_expired_entries_and_left_overs_are_swept(place: Path) -> None:
    obtain(place, 1)
    for name in (".new-1-dead", "a" * 64):
        (place / name).write_bytes(b"")
        os.utime(place / name, (EPOCH - HOUR, EPOCH - HOUR))
    (place / "directory").mkdir()
    os.utime(place / "directory", (0, 0))
    obtain(place, 2, fingerprint="g")
    left = {p.name for p in place.iterdir()}
    assert not left & {".new-1-dead", "a" * 64}
    assert "key" in left


def test_threads_renew_once(place: Path) -> None:
    asked: list[int] = []
    began = threading.Event()

    def fetch() -> Issued:
        asked.append(1)
        began.wait(0.2)
        return Issued(issue(len(asked), 4e9), EPOCH, 4e9)

    def run(_: int) -> str:
        store = MachineStore(place, "f")
        found = store.obtain(fetch, accept=lambda _: True)
        return found.issued.credentials.access_key_id

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(run, range(16))) == {issue(1, 0).access_key_id}
    assert len(asked) == 1


def test_who_cannot_get_the_lock_fetches_alone(place: Path) -> None:
    store = MachineStore(place, "f", lock_seconds=0.05)

    def fetch_slowly() -> Issued:
        found = store.obtain(
            lambda: Issued(issue(2, 4e9), EPOCH, 4e9), accept=lambda _: False
        )
        assert found.issued.credentials.access_key_id == issue(2, 0).access_key_id
        assert found.waited_seconds >= 0.05
        return Issued(issue(1, 4e9), EPOCH, 4e9)

    found = store.obtain(fetch_slowly, accept=lambda _: False)
    assert found.issued.credentials.access_key_id == issue(1, 0).access_key_id


def test_keeper_takes_a_stored_set_and_asks_nobody(place: Path) -> None:
    world = Simulation()
    stores = [MachineStore(place, "f", runtime=world.runtime())] * 2
    first, second = (world.build_keeper(store=store) for store in stores)
    assert first.current() == second.current()
    assert (len(world.asked), world.kinds()[-2:]) == (
        1,
        ["store_hit", "renewal_succeeded"],
    )


def test_keeper_leaves_a_stored_set_that_is_rejected_or_about_to_end(
    place: Path,
) -> None:
    world = Simulation()
    store = MachineStore(place, "f", runtime=world.runtime())
    keeper = world.build_keeper(store=store)
    first = keeper.current()
    world.pass_time(61)
    keeper.reject(first.access_key_id)
    assert keeper.current() != first
    world.pass_time(HOUR - 30)
    world.build_keeper(store=store).current()
    assert len(world.asked) == 3


@pytest.mark.parametrize("choice", ["off", ""])
def test_store_is_off_by_default(choice: str) -> None:
    assert find_store_directory(choice, {}) is None


def test_directory_of_the_choice_has_the_users_name(tmp_path: Path) -> None:
    name = f"botocore-conn-provider-{os.geteuid()}"
    assert find_store_directory(str(tmp_path / "x"), {}) == tmp_path / "x" / name


WRITER = """
import os, signal, sys, threading, random, time
from pathlib import Path
from botocore_conn_provider.renewal.store.machine_store import MachineStore
from botocore_conn_provider.renewal.store.places import find_store_directory
from botocore_conn_provider.renewal.schedule import Issued
from tests.renewal.simulation import issue
store = MachineStore(Path(sys.argv[1]), "f")
kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
steps = random.randrange(1, 400)
def count(frame, event, argument):
    global steps
    steps -= 1
    if steps == 0:
        kill()
    return count
number = 0
sys.settrace(count)
while True:
    number += 1
    store.obtain(lambda: Issued(issue(number, 4e9), 1.0, 4e9), accept=lambda _: False)
"""


def kill_writers(place: Path, times: int) -> None:
    """Kill a writer at a random line of its work, again and again; read after each."""
    import subprocess
    import sys

    root = str(Path(__file__).parents[2])
    for _ in range(times):
        child = subprocess.run(
            [sys.executable, "-c", WRITER, str(place)],
            env={**os.environ, "PYTHONPATH": root},
            check=False,
            capture_output=True,
            timeout=DEADLINE_SECONDS,
        )
        assert child.returncode == -9, child.stderr
        store = MachineStore(place, "f", lock_seconds=0.0)
        found = store.obtain(
            lambda: Issued(issue(999_999, 4e9), 1.0, 4e9), accept=lambda _: True
        )
        assert found.waited_seconds == 0.0
        keys = found.issued.credentials
        assert keys == issue(int(keys.access_key_id[4:]), 4e9)


def test_killed_writers_leave_a_usable_store(place: Path) -> None:
    kill_writers(place, examples(50))


def test_forked_child_does_not_keep_the_lock(
    run_python: Children, tmp_path: Path
) -> None:
    """A renewer that dies while its forked child lives on leaves no lock behind."""
    ended = run_python(
        """
        import os, signal, sys, time
        from botocore_conn_provider.renewal.store.lock import StoreLock
        directory = os.open(sys.argv[1], os.O_RDONLY)
        there, here = os.pipe()
        holder = os.fork()
        if holder == 0:
            lock = StoreLock(directory, "lock-x")
            assert lock.try_acquire()
            if os.fork() == 0:
                os.write(here, b"x")
                os.close(1); os.close(2); time.sleep(5)
                os._exit(0)
            time.sleep(30)
        os.read(there, 1)
        mine = StoreLock(directory, "lock-x")
        held = mine.try_acquire()
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)
        print(held, mine.try_acquire())
        """,
        str(tmp_path),
    )
    assert ended.stdout == "False True\n", ended.stderr
