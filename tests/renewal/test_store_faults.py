"""What a machine may lack or refuse: a place, locks, room on the disk."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.connection.environment import Snapshot
from botocore_conn_provider.connection.record import Connection
from botocore_conn_provider.exchange.session_view import SessionView
from botocore_conn_provider.renewal.registry import share_keeper
from botocore_conn_provider.renewal.schedule import Issued
from botocore_conn_provider.renewal.store import machine_store as store_module
from botocore_conn_provider.renewal.store import places as store_places
from botocore_conn_provider.renewal.store.machine_store import MachineStore
from botocore_conn_provider.secret import Options
from tests.renewal.simulation import EPOCH, issue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.aws import Aws
    from tests.child import Children
    from tests.leaks import Secrets

ROLE = "arn:aws:iam::123456789012:role/r"


@pytest.fixture(autouse=True)
def _nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_warned", set())


def list_warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if ".store" in record.name and record.levelname == "WARNING"
    ]


def call(
    choice: str, secrets: Secrets, aws: Aws, environ: Mapping[str, str] | None = None
) -> None:
    """Assume a role with the store at `choice`, as a session does."""
    environ = {"HOME": "/nowhere"} if environ is None else environ
    snapshot = Snapshot(Options(environ), "/")
    record = {
        "conn_type": "aws",
        "login": secrets.new_access_key_id(),
        "password": secrets.new("secret key"),
        "extra": {
            "role_arn": ROLE,
            "region_name": "eu-west-1",
            "service_config": {"sts": {"endpoint_url": aws.url}},
            "botocore_conn_provider": {"store": choice},
        },
    }
    settings = Connection.parse(json.dumps(record)).settings
    share_keeper(settings, SessionView(snapshot)).current()


def take_home_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_no_user(_: int) -> None:
        raise KeyError("uid not found")

    import pwd

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", find_no_user)


def close_every_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no place exist, and no directory for temporary files either."""

    def find_none() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    nowhere = Path("/nowhere")
    monkeypatch.setattr(store_places, "RUNTIME", nowhere)
    monkeypatch.setattr(store_places, "SHARED_MEMORY", nowhere)
    monkeypatch.setattr(store_places, "TEMPORARY", nowhere)
    monkeypatch.setattr(tempfile, "gettempdir", find_none)


def close_the_runtime_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail as a directory fails that may not be searched; root may search any."""
    closed = Path("/closed")
    stat = os.stat

    def refuse(path: object, *positional: object, **named: object) -> object:
        if str(path).startswith(str(closed)):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, *positional, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "stat", refuse)
    monkeypatch.setattr(store_places, "RUNTIME", closed)


PLACES: dict[str, tuple[str, Callable[[pytest.MonkeyPatch], None] | None]] = {
    "no home": ("~/store", take_home_away),
    "unknown user's home": ("~no-such-user/store", None),
    "nowhere at all": ("on", close_every_place),
    "below a file": ("/etc/hostname/store", None),
    "not to be made": ("/proc/store", None),
    "null character": ("/nowhere/\0", None),
    "endless": ("/nowhere/" + "x" * 5000, None),
}


@pytest.mark.parametrize("name", PLACES)
def test_no_choice_of_place_fails_a_call(
    name: str,
    secrets: Secrets,
    aws: Aws,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    choice, prepare = PLACES[name]
    if prepare is not None:
        prepare(monkeypatch)
    environ: dict[str, str] | None = {} if name == "no home" else None
    for _ in range(2):
        call(choice, secrets, aws, environ)
    assert len(list_warnings(caplog)) == 1


def test_closed_runtime_directory_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    close_the_runtime_directory(monkeypatch)
    found = store_places.find_store_directory("on", {"XDG_RUNTIME_DIR": "/closed/1"})
    assert found is not None
    assert not str(found).startswith("/closed")


def test_home_is_that_of_the_snapshot(
    secrets: Secrets, aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "later"))
    call("~/store", secrets, aws, {"HOME": str(tmp_path / "then")})
    assert (tmp_path / "then" / "store").is_dir()
    assert not (tmp_path / "later").exists()


def run_two(place: Path, sign_in_seconds: float, **settings: float) -> int:
    """Renew in two stores at once, as two processes do; return how many asked."""
    asked: list[int] = []
    inside = threading.Event()

    def fetch() -> Issued:
        asked.append(1)
        inside.set()
        time.sleep(sign_in_seconds)
        return Issued(issue(len(asked), 4e9), EPOCH, 4e9)

    own = Connection.parse(
        f'{{"conn_type": "aws", "extra": {{"botocore_conn_provider": {settings}}}}}'.replace(
            "'", '"'
        )
    ).settings.own
    stores = [MachineStore(place, "f", lock_seconds=own.lock_seconds) for _ in range(2)]
    first = threading.Thread(
        target=lambda: stores[0].obtain(fetch, accept=lambda _: True)
    )
    first.start()
    assert inside.wait(10)
    stores[1].obtain(fetch, accept=lambda _: True)
    first.join()
    return len(asked)


def test_slow_sign_in_is_still_one_for_the_machine(tmp_path: Path) -> None:
    assert run_two(tmp_path, 1.5, sign_in_deadline_seconds=3) == 1


def test_lock_setting_of_the_connection_beats_the_deadline(tmp_path: Path) -> None:
    settings = {"sign_in_deadline_seconds": 30, "store_lock_seconds": 0.1}
    assert run_two(tmp_path, 1.0, **settings) == 2


def test_default_wait_for_the_lock_outlasts_a_sign_in_of_12_seconds() -> None:
    own = Connection.parse("aws://@").settings.own
    assert 12 < own.lock_seconds < own.sign_in_deadline_seconds


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOSYS])
def test_place_without_locks_costs_no_wait_and_is_used(
    number: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    place = tmp_path / "store"
    for expected in (False, True):
        found = MachineStore(place, "f").obtain(
            lambda: Issued(issue(1, 4e9), EPOCH, 4e9), accept=lambda _: True
        )
        assert (found.from_store, found.waited_seconds) == (expected, 0.0)
    assert len(list_warnings(caplog)) == 1
    assert "lock" in list_warnings(caplog)[0]


FULL = """
import os, resource, sys
from pathlib import Path
from botocore_conn_provider.renewal.schedule import Issued
from botocore_conn_provider.renewal.store.machine_store import MachineStore
from tests.renewal.simulation import EPOCH, issue

place, with_key = Path(sys.argv[1]), sys.argv[2] == "with key"
def obtain(number):
    MachineStore(place, str(number)).obtain(
        lambda: Issued(issue(number, 4e9), EPOCH, 4e9), accept=lambda _: True
    )
if with_key:
    obtain(1)
before = set(os.listdir(place)) if with_key else set()
# A file may have so many bytes: what is written beyond fails as on a full disk.
resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
for number in range(2, 6):
    obtain(number)
left = {n for n in os.listdir(place) if not n.startswith("lock-")}
print(sorted(n[:5] for n in left - before))
"""


@pytest.mark.parametrize("state", ["with key", "empty"])
def test_full_disk_leaves_no_litter(
    state: str, run_python: Children, tmp_path: Path
) -> None:
    root = str(Path(__file__).parents[2])
    ended = run_python(FULL, str(tmp_path / "store"), state, env={"PYTHONPATH": root})
    assert ended.stdout == "[]\n", ended.stderr
