"""The log of asks: who asked a source, for people to see; and never a key."""

from __future__ import annotations

import json
import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botocore_conn_provider.errors import StsExchangeError
from botocore_conn_provider.renewal.schedule import Issued
from botocore_conn_provider.renewal.store import ask_log
from botocore_conn_provider.renewal.store.ask_log import (
    PREFIX,
    REMEMBERED_ASKS,
    AskLog,
    name_program,
    read_logs,
)
from botocore_conn_provider.renewal.store.directory import LARGEST_BYTES
from botocore_conn_provider.renewal.store.machine_store import MachineStore
from tests.renewal.simulation import HOUR, Simulation, issue

if TYPE_CHECKING:
    from pathlib import Path

ROLE = "arn:aws:iam::123456789012:role/reader"


class Machine:
    """A store, and processes that ask for one identity each."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.world = Simulation()
        self.number = 0

    def ask(self, fingerprint: str = "f", *, error: Exception | None = None) -> None:
        """Ask a source that takes two seconds."""

        def fetch() -> Issued:
            self.world.pass_time(2)
            if error is not None:
                raise error
            self.number += 1
            ends_at = self.world.now + HOUR
            return Issued(issue(self.number, ends_at), self.world.now, ends_at)

        store = MachineStore(
            self.place,
            fingerprint,
            runtime=self.world.runtime(),
            subject=("lake", ROLE),
        )
        store.obtain(fetch, accept=lambda _: False)

    def read(self) -> list[AskLog]:
        directory = os.open(self.place, os.O_RDONLY)
        try:
            return [log for _, log in read_logs(directory)]
        finally:
            os.close(directory)

    def read_one(self) -> AskLog:
        (log,) = self.read()
        return log

    @property
    def file(self) -> Path:
        (path,) = self.place.glob(f"{PREFIX}*")
        return path


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "store")


def test_ask_is_noted_with_who_when_and_for_what(machine: Machine) -> None:
    machine.ask()
    log = machine.read_one()
    (ask,) = log.asks
    assert log.subject == ("lake", ROLE)
    assert (log.total, log.failed, log.is_failing) == (1, 0, False)
    assert (log.ends_at, log.lifetime_seconds) == (machine.world.now + HOUR, HOUR)
    assert (ask.at, ask.took_seconds) == (machine.world.now, 2.0)
    assert (ask.pid, ask.host) == (os.getpid(), os.uname().nodename)
    assert log.renewal == ask


def test_failure_is_noted_and_a_success_after_it_ends_the_alarm(
    machine: Machine,
) -> None:
    machine.ask()
    with pytest.raises(StsExchangeError):
        machine.ask(error=StsExchangeError(conn_id="lake", cause="it is closed."))
    failing = machine.read_one()
    machine.ask()
    well = machine.read_one()
    assert failing.is_failing
    assert failing.fault is not None
    assert "StsExchangeError: " in failing.fault.text
    assert "it is closed." in failing.fault.text
    assert failing.ends_at is not None, "the first credentials are still good"
    assert failing.renewal == failing.asks[0]
    assert not well.is_failing
    assert (well.total, well.failed) == (3, 1)
    assert well.fault == failing.fault


def test_credentials_from_the_store_are_no_ask(machine: Machine) -> None:
    machine.ask()
    store = MachineStore(
        machine.place, "f", runtime=machine.world.runtime(), subject=("lake", ROLE)
    )
    assert store.obtain(pytest.fail, accept=lambda _: True).from_store
    assert machine.read_one().total == 1


def test_two_identities_of_one_connection_have_two_logs(machine: Machine) -> None:
    machine.ask("f")
    machine.ask("g")
    assert [log.total for log in machine.read()] == [1, 1]


def test_no_key_token_or_fingerprint_is_in_the_file(machine: Machine) -> None:
    machine.ask("the-fingerprint")
    text = machine.file.read_text() + machine.file.name
    keys = issue(1, 0)
    for secret in (
        str(keys.access_key_id),
        keys.secret_access_key.reveal(),
        keys.session_token.reveal(),
        "the-fingerprint",
    ):
        assert secret not in text
    assert stat.S_IMODE(machine.file.stat().st_mode) == 0o600


def test_foreign_error_is_noted_by_its_kind_alone(machine: Machine) -> None:
    with pytest.raises(ValueError, match="a secret"):
        machine.ask(error=ValueError("a secret"))
    fault = machine.read_one().fault
    assert fault is not None
    assert fault.text == "ValueError"


def test_last_asks_are_remembered_and_all_are_counted(machine: Machine) -> None:
    for _ in range(REMEMBERED_ASKS + 5):
        machine.ask()
    log = machine.read_one()
    assert (len(log.asks), log.total) == (REMEMBERED_ASKS, REMEMBERED_ASKS + 5)
    assert log.count_since(machine.world.now - 60) == 30


def test_longest_log_can_be_read_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask_log, "name_program", lambda: "π" * 40)
    for _ in range(REMEMBERED_ASKS):
        machine.ask()
    assert machine.file.stat().st_size < LARGEST_BYTES
    assert machine.read_one().total == REMEMBERED_ASKS


@given(content=st.binary() | st.text().map(str.encode))
def test_broken_file_is_none_and_the_next_ask_replaces_it(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    machine = Machine(tmp_path_factory.mktemp("machine") / "store")
    machine.ask()
    machine.file.write_bytes(content)
    assert machine.read() == []
    machine.ask()
    assert machine.read_one().total == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("format", 2), ("asks", [[1]]), ("asks", 7), ("total", "x"), ("subject", [])],
)
def test_file_of_another_version_is_not_read(
    machine: Machine, field: str, value: object
) -> None:
    machine.ask()
    document = json.loads(machine.file.read_text())
    machine.file.write_text(json.dumps(document | {field: value}))
    assert machine.read() == []


def test_note_that_cannot_be_written_stops_no_renewal(machine: Machine) -> None:
    machine.ask()
    path = machine.file
    path.unlink()
    path.mkdir()
    machine.ask()
    assert machine.number == 2


def test_notes_outlive_the_credentials_and_are_swept_in_the_end(
    machine: Machine,
) -> None:
    machine.ask("old")
    machine.world.pass_time(2 * HOUR)
    machine.ask("new")
    assert len(machine.read()) == 2
    machine.world.pass_time(30 * HOUR)
    machine.ask("newer")
    assert len(machine.read()) == 1


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (["/srv/jobs/etl.py", "--password=x"], "etl.py"),
        (["-c", "the code"], "python"),
        ([""], "python"),
        ([], "python"),
        (["/lib/python3/distributed/__main__.py"], "distributed"),
        (["/bin/aws://key:secret@host"], "?"),
        (["/bin/" + "x" * 300], "x" * 39 + "…"),
    ],
)
def test_program_is_named_without_its_arguments(
    monkeypatch: pytest.MonkeyPatch, argv: list[str], name: str
) -> None:
    monkeypatch.setattr("sys.argv", argv)
    assert name_program() == name


SPOILED = {
    "no number": {"ends_at": float("nan")},
    "endless": {"lifetime_seconds": float("inf")},
    "too large": {"total": 10**400},
    "ask before time": {"asks": [[float("-inf"), 1.0, True, 1, "p", "h"]]},
    "fault before time": {"fault": {"at": float("-inf"), "text": "x"}},
}


@pytest.mark.parametrize("spoiled", SPOILED.values(), ids=SPOILED)
def test_log_with_numbers_that_are_none_counts_as_none(
    tmp_path: Path, spoiled: dict[str, object]
) -> None:
    machine = Machine(tmp_path / "store")
    machine.ask()
    (path,) = machine.place.glob(f"{PREFIX}*")
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **spoiled}))
    directory = os.open(machine.place, os.O_RDONLY)
    assert list(read_logs(directory)) == []
    os.close(directory)


def test_program_without_a_usable_name_gets_credentials_and_its_own_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [None])
    machine = Machine(tmp_path / "store")
    machine.ask()
    with pytest.raises(StsExchangeError, match="mine"):
        machine.ask(error=StsExchangeError(conn_id="x", cause="mine."))
