"""Where the store is: on machines, in containers, for several users."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.renewal.store import places as store_places
from botocore_conn_provider.renewal.store.directory import (
    UnsafeStoreError,
    open_directory,
)
from botocore_conn_provider.renewal.store.places import find_store_directory

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = f"botocore-conn-provider-{os.geteuid()}"
USER = 4242
SHARED, TEMPORARY = store_places.SHARED_MEMORY, store_places.TEMPORARY
ROOT = str(Path(__file__).parents[2])


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Make the places of a machine, in the order of preference."""
    made = {name: tmp_path / name for name in ("run", "shm", "tmp", "xdg", "job")}
    for place in made.values():
        place.mkdir()
    (made["run"] / str(os.geteuid())).mkdir()
    monkeypatch.setattr(store_places, "RUNTIME", made["run"])
    monkeypatch.setattr(store_places, "SHARED_MEMORY", made["shm"])
    monkeypatch.setattr(store_places, "TEMPORARY", made["tmp"])
    monkeypatch.setattr(tempfile, "tempdir", str(made["job"]))
    return made


def find(places: dict[str, Path], **environ: str) -> str:
    """Return the name of the place that is found."""
    found = find_store_directory("on", environ)
    assert found is not None
    assert found.name == NAME
    return found.relative_to(places["run"].parent).parts[0]


def take_away(places: dict[str, Path], *names: str) -> None:
    for name in names:
        shutil.rmtree(places[name])


def test_place_is_the_same_whatever_the_environment_says(
    places: dict[str, Path],
) -> None:
    for gone, expected in [(None, "run"), ("run", "shm"), ("shm", "tmp")]:
        take_away(places, *[gone] if gone else [])
        assert find(places, XDG_RUNTIME_DIR=str(places["xdg"])) == expected
        assert find(places) == expected


def test_what_only_the_environment_names_is_the_last_resort(
    places: dict[str, Path],
) -> None:
    take_away(places, "run", "shm", "tmp")
    assert find(places, XDG_RUNTIME_DIR=str(places["xdg"])) == "xdg"
    assert find(places) == "job"


def make(path: Path, mode: int) -> Path:
    path.mkdir()
    path.chmod(mode)
    return path


PLANTED: dict[str, Callable[[Path], object]] = {
    "a link": lambda path: path.symlink_to(path.parent.parent / "xdg"),
    "a file": lambda path: path.touch(),
    "open to others": lambda path: make(path, 0o755),
    "open to a group": lambda path: make(path, 0o2770),
    "another user's": lambda path: os.chown(make(path, 0o700), 1, 1),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_another_user_planted_is_passed_over(
    name: str, places: dict[str, Path]
) -> None:
    if name == "another user's" and os.geteuid() != 0:
        pytest.skip("only root gives directories away")
    take_away(places, "run")
    PLANTED[name](places["shm"] / NAME)
    assert find(places) == "tmp"


def test_directory_inherits_the_group_of_a_volume_and_is_used(tmp_path: Path) -> None:
    tmp_path.chmod(0o2770)
    path = find_store_directory(str(tmp_path), {})
    assert path is not None
    os.close(open_directory(path))
    os.close(open_directory(path))
    assert stat.S_IMODE(path.stat().st_mode) & 0o777 == 0o700


def test_nothing_is_made_to_find_the_place(places: dict[str, Path]) -> None:
    find(places)
    assert not list(places["run"].parent.rglob(NAME))


def test_no_place_at_all_is_said(places: dict[str, Path]) -> None:
    for place in places.values():
        shutil.rmtree(place)
    with pytest.raises(UnsafeStoreError, match="can be used"):
        find_store_directory("on", {})


# Run in a mount namespace of its own, and there as a user without an entry in passwd:
# what is imported later would have to be readable for him.
PROGRAM = """
import fcntl, os, sys
from pathlib import Path
from botocore_conn_provider.renewal.schedule import Issued
from botocore_conn_provider.renewal.store import failure_record, lock, machine_store, turn
from botocore_conn_provider.renewal.store.directory import UnsafeStoreError
from botocore_conn_provider.renewal.store.places import find_store_directory
from tests.renewal.simulation import EPOCH, issue

groups = [int(each) for each in sys.argv[3:]]
os.setgroups(groups)
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
try:
    path = find_store_directory(sys.argv[1], os.environ)
except UnsafeStoreError as error:
    sys.exit(f"nowhere: {error}")
for _ in range(2):
    found = machine_store.MachineStore(path, "f").obtain(
        lambda: Issued(issue(1, 4e9), EPOCH, 4e9), accept=lambda _: True
    )
print(path, found.from_store)
"""
APART = ["/usr/bin/unshare", "--mount", "/bin/sh", "-euc"]
FRESH = "mount -t tmpfs -o mode=1777 none"
# The checkout may stand in one of the places that are mounted over.
PACKAGES = sysconfig.get_path("purelib")
KEPT = {ROOT: "/mnt/checkout", PACKAGES: "/mnt/packages"}
KEEP = "mount -t tmpfs none /mnt; " + "; ".join(
    f"mkdir {place}; mount --bind {shlex.quote(path)} {place}"
    for path, place in KEPT.items()
)
HIDE_RUN = "mount -t tmpfs none /run"
# What is mounted over the places, and where the store is then.
MOUNTS = {
    "small and noexec": (f"{FRESH} -o size=64m,noexec {SHARED}", SHARED),
    "read-only": (f"{FRESH} -o ro {SHARED}", TEMPORARY),
    "closed": (f"mount -t tmpfs -o mode=0700 none {SHARED}", TEMPORARY),
    "planted": (
        f"{FRESH} {SHARED}; mkdir -m 700 {SHARED}/botocore-conn-provider-{USER}",
        TEMPORARY,
    ),
    "runtime directory": (
        f"mkdir -p /run/user/{USER}; chown {USER} /run/user/{USER}",
        f"/run/user/{USER}",
    ),
}


def run_apart(
    prepare: str, *arguments: object, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run the program in mounts of its own; nothing else sees them."""
    command = [*APART, f'{KEEP}; {prepare}; exec "$@"', "sh"]
    python = str(Path(sys.executable).resolve())
    path = os.pathsep.join(KEPT.values())
    return subprocess.run(
        [*command, python, "-c", PROGRAM, *map(str, arguments)],
        env={"HOME": "/", "PATH": os.environ["PATH"], "PYTHONPATH": path, **environ},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def can_mount() -> bool:
    if os.geteuid() != 0 or not Path(APART[0]).exists():
        return False
    ended = subprocess.run(
        [*APART, "mount -t tmpfs none /mnt"],
        capture_output=True,
        check=False,
    )
    return ended.returncode == 0


needs_mounts = pytest.mark.skipif(not can_mount(), reason="needs root, to mount")


@needs_mounts
@pytest.mark.parametrize("name", MOUNTS)
def test_store_is_found_where_a_user_without_a_home_can_write(name: str) -> None:
    mounts, place = MOUNTS[name]
    ended = run_apart(f"{HIDE_RUN}; {FRESH} /tmp; {mounts}", "on", USER)
    assert ended.stdout == f"{place}/botocore-conn-provider-{USER} True\n", ended.stderr


@needs_mounts
def test_machine_with_read_only_places_says_that_there_is_none() -> None:
    places = (SHARED, TEMPORARY, f"/var{TEMPORARY}")
    closed = "; ".join(f"{FRESH} -o ro {place}" for place in places)
    ended = run_apart(f"{closed}; {HIDE_RUN}", "on", USER)
    assert "nowhere: none of its usual places" in ended.stderr


@needs_mounts
def test_two_users_have_a_store_each_in_one_volume() -> None:
    # As an emptyDir with fsGroup is mounted.
    volume = Path(tempfile.mkdtemp(dir=SHARED))
    try:
        os.chown(volume, 0, 5000)
        volume.chmod(0o2770)
        for user in (USER, USER + 1):
            ended = run_apart(":", volume, user, 5000)
            expected = f"{volume}/botocore-conn-provider-{user} True\n"
            assert ended.stdout == expected, ended.stderr
    finally:
        shutil.rmtree(volume)
