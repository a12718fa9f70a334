"""`top`: what each process of this machine asked, as a table and as JSON."""

from __future__ import annotations

import datetime
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from botocore_conn_provider.cli import exit_codes as exits
from botocore_conn_provider.cli.top.rows import Look, Row
from botocore_conn_provider.cli.top.table import (
    HEADINGS,
    LEFT_OUT,
    choose_columns,
    find_style,
    list_cells,
    list_faults,
    list_lines,
    show_role,
    show_seconds,
)
from botocore_conn_provider.renewal.runtime import Runtime
from botocore_conn_provider.renewal.store.ask_log import AskNotes, Subject, read_logs
from botocore_conn_provider.renewal.store.directory import open_directory
from tests.aws import Fault, build_error
from tests.child import DEADLINE_SECONDS
from tests.cli.conftest import CONNECTION, ROLE, Command
from tests.connections import make_role
from tests.renewal.simulation import HOUR, Simulation

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets

TOP = (sys.executable, "-m", "botocore_conn_provider", "top")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of the store, which this process's commands use, too."""
    monkeypatch.setenv("BOTOCORE_CONN_STORE", str(tmp_path))
    return tmp_path / f"botocore-conn-provider-{os.geteuid()}"


@pytest.fixture
def environ(aws: Aws, secrets: Secrets, store: Path, isolated: Path) -> dict[str, str]:
    """The environment of a process that has a connection with a role."""
    del isolated
    return {
        **os.environ,
        CONNECTION: json.dumps(make_role(aws, secrets, role_arn=ROLE)),
        "BOTOCORE_CONN_STORE": str(store.parent),
    }


def ask(environ: dict[str, str]) -> int:
    """Have a program of its own get credentials; return its process id."""
    code = "import boto3, botocore_conn_provider as p; p.install();"
    code += "boto3.Session().get_credentials().get_frozen_credentials()"
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environ, stderr=subprocess.DEVNULL
    ) as process:
        process.wait(DEADLINE_SECONDS)
        return process.pid


def read(command: Command) -> dict[str, Any]:
    said = command("top", "--json")
    assert (said.code, said.err) == (exits.OK, "")
    document: dict[str, Any] = json.loads(said.out)
    return document


def test_json_tells_of_each_identity_who_renewed_and_how_long_it_lasts(
    environ: dict[str, str], command: Command, store: Path
) -> None:
    pid = ask(environ)
    document = read(command)
    (row,) = document["connections"]
    assert document["store"] == str(store)
    assert row["connection"] == "aws_default"
    assert row["role_arn"] == ROLE
    assert 3500 < row["seconds_left"] <= 3601
    assert row["lifetime_seconds"] in (3600, 3601)
    assert row["asks"] == {"last_minute": 1, "last_hour": 1, "total": 1, "failed": 0}
    assert (row["failing"], row["last_error"]) == (False, None)
    assert row["last_renewal"]["pid"] == pid
    assert row["last_renewal"]["program"] == "python"
    assert row["last_renewal"]["host"] == os.uname().nodename


def test_second_process_that_finds_them_is_no_ask(
    environ: dict[str, str], command: Command, aws: Aws
) -> None:
    first = ask(environ)
    ask(environ)
    (row,) = read(command)["connections"]
    assert len(aws.sts_requests) == 1
    assert row["asks"]["total"] == 1
    assert row["last_renewal"]["pid"] == first


def test_refusal_of_sts_is_shown_with_its_reason(
    environ: dict[str, str], command: Command, aws: Aws
) -> None:
    refusal = build_error("AccessDenied", "may not")
    aws.inject(Fault(status=403, body=refusal))
    ask(environ)
    (row,) = read(command)["connections"]
    said = command("top", "--once")
    assert row["failing"]
    assert row["seconds_left"] is None
    assert "AccessDenied" in row["last_error"]["text"]
    assert "! aws_default, " in said.out
    assert "AccessDenied" in said.out


def test_plain_table_has_a_line_for_each_identity(
    environ: dict[str, str], command: Command
) -> None:
    pid = ask(environ)
    said = command("top")
    first, headings, row = said.out.splitlines()
    assert "1 identity, 1 ask in the last minute, 0 failing" in first
    assert headings.split()[:3] == ["CONNECTION", "ROLE", "LEFT"]
    assert row.split()[:3] == ["aws_default", "123456789012", "analyst"]
    assert f"python {pid}" in row


def test_store_that_is_not_there_is_told_and_not_made(
    command: Command, store: Path
) -> None:
    said = command("top")
    assert "there is none yet" in said.out
    assert read(command)["exists"] is False
    assert not store.exists()


def test_store_that_others_may_read_is_an_error(command: Command, store: Path) -> None:
    store.mkdir(mode=0o755)
    said = command("top")
    assert said.code == exits.FAILED
    assert "mode 0700" in said.err


def test_store_is_looked_into_where_this_shell_has_it_off(
    environ: dict[str, str],
    command: Command,
    store: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask(environ)
    monkeypatch.setenv("BOTOCORE_CONN_STORE", "off")
    document = json.loads(command("top", "--json", "--store", str(store.parent)).out)
    assert len(document["connections"]) == 1


@pytest.mark.parametrize("words", [("--interval", "0"), ("--interval", "nan"), ("x",)])
def test_wrong_argument_is_refused(command: Command, words: tuple[str, ...]) -> None:
    assert command("top", *words).code == exits.USAGE


TERMINAL = {"TERM": "xterm-256color", "COLUMNS": "150", "LINES": "30"}


class Terminal:
    """The command on a terminal of its own, which it may draw on."""

    def __init__(self, environ: dict[str, str], *words: str, **variables: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [*TOP, "--interval", "0.1", *words],
            env={**environ, **TERMINAL, **variables},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        self.text = ""

    def read_until(self, wanted: str) -> None:
        ends_at = time.monotonic() + DEADLINE_SECONDS
        while wanted not in self.text:
            assert time.monotonic() < ends_at, self.text
            if select.select([self._ours], [], [], 1)[0]:
                read = os.read(self._ours, 65536).decode(errors="replace")
                self.text += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", read)

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(how)
        self.read_rest()
        return self.process.wait(DEADLINE_SECONDS)

    def read_rest(self) -> None:
        try:
            while read := os.read(self._ours, 65536):
                self.text += read.decode(errors="replace")
        except OSError:  # Linux tells the end of a terminal so
            pass
        os.close(self._ours)


def test_live_table_shows_what_is_asked_while_it_is_looked_at(
    environ: dict[str, str], leaks: Leaks
) -> None:
    terminal = Terminal(environ)
    terminal.read_until("there is none yet")
    pid = ask(environ)
    terminal.read_until(f"python {pid}")
    assert terminal.end() == exits.OK
    assert "Traceback" not in terminal.text
    leaks.check_text(terminal.text, place="terminal")


def test_terminal_that_cannot_be_drawn_on_gets_the_table_once(
    environ: dict[str, str],
) -> None:
    terminal = Terminal(environ, TERM="dumb")
    terminal.read_until("there is none yet")
    terminal.read_rest()
    assert terminal.process.wait(DEADLINE_SECONDS) == exits.OK


@pytest.mark.parametrize("words", [(), ("--once",)], ids=["live", "once"])
def test_terminal_of_another_encoding_gets_a_table(
    environ: dict[str, str], store: Path, words: tuple[str, ...]
) -> None:
    directory, clocks = open_directory(store), Runtime()
    # Longer than is shown.
    subject = Subject("lake", "arn:aws:iam::123456789012:role/" + "r" * 60)
    notes = AskNotes(directory, "a" * 64, subject=subject, clocks=clocks)
    notes.add(began=clocks.elapsed())
    os.close(directory)
    terminal = Terminal(environ, *words, PYTHONIOENCODING="ascii")
    if not words:
        terminal.read_until("rrr?")
        terminal.process.send_signal(signal.SIGINT)
    terminal.read_rest()
    assert terminal.process.wait(DEADLINE_SECONDS) == exits.OK
    assert "rrr?" in terminal.text


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_terminal_is_left_as_it_was_whatever_ends_the_live_table(
    environ: dict[str, str], how: signal.Signals
) -> None:
    terminal = Terminal(environ)
    terminal.read_until("there is none yet")
    assert terminal.end(how) == exits.OK
    # The screen of before, and the cursor.
    for restored in ("\x1b[?1049l", "\x1b[?25h"):
        assert restored in terminal.text


class Sample:
    """Rows at chosen moments."""

    def __init__(self, tmp_path: Path) -> None:
        self.world = Simulation()
        self.directory = open_directory(tmp_path / "notes")
        self.notes = AskNotes(
            self.directory,
            "0" * 64,
            subject=Subject("lake", ROLE),
            clocks=self.world.runtime(),
        )

    def add(self, *, failed: bool = False) -> None:
        error = ValueError() if failed else None
        ends_at = None if failed else self.world.now + HOUR
        self.notes.add(began=self.world.now - 1, ends_at=ends_at, error=error)

    def row(self, *, after: float = 0.0) -> Row:
        ((identity, log),) = read_logs(self.directory)
        return Row(identity, log, self.world.now + after)


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return Sample(tmp_path)


def test_file_of_another_version_does_not_write_to_the_terminal_what_it_likes(
    sample: Sample,
) -> None:
    sample.add()
    sample.add(failed=True)
    row, odd = sample.row(), "\x1b]0;x\x07\n\udc80"
    log = row.log._replace(
        subject=Subject(odd, odd),
        asks=tuple(ask._replace(program=odd) for ask in row.log.asks),
        fault=row.log.fault and row.log.fault._replace(text=odd),
    )
    for text in (*list_cells(row := row._replace(log=log)), *list_faults(row)):
        assert text.isprintable()


@pytest.mark.parametrize(
    ("failed", "after", "style"),
    [
        ((False,), 60, "green"),
        ((False,), HOUR - 60, "yellow"),
        ((False, True), 60, "yellow"),
        ((False, True), HOUR + 60, "bold red"),
        ((True,), 0, "bold red"),
        ((False,), HOUR + 60, "dim"),
    ],
)
def test_colour_warns_of_what_fails_or_soon_may(
    sample: Sample, failed: tuple[bool, ...], after: float, style: str
) -> None:
    for one in failed:
        sample.add(failed=one)
    assert find_style(sample.row(after=after)) == style


def test_asks_of_the_last_minute_and_hour_are_told_apart(sample: Sample) -> None:
    sample.add()
    sample.world.pass_time(600)
    sample.add()
    row = sample.row(after=1)
    assert (row.asks_per_minute, row.asks_per_hour) == (1, 2)


def test_narrow_terminal_does_without_columns_and_cuts_none(
    sample: Sample, tmp_path: Path
) -> None:
    sample.add()
    at = datetime.datetime.now(datetime.timezone.utc)
    seen = Look(tmp_path, at, (sample.row(),))
    whole = max(len(line) for line in list_lines(seen)[1:])

    def list_left_out(room: int) -> set[str]:
        kept = {HEADINGS[each] for each in choose_columns(seen, room)}
        return set(HEADINGS) - kept

    assert list_left_out(whole + 10) == set()
    assert list_left_out(whole - 10) == {"ROLE"}
    assert list_left_out(10) == set(LEFT_OUT)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-3, "0 s"),
        (59.9, "59 s"),
        (61, "1 m 01 s"),
        (3599, "59 m 59 s"),
        (7260, "2 h 01 m"),
    ],
)
def test_time_has_its_two_largest_units(seconds: float, shown: str) -> None:
    assert show_seconds(seconds) == shown


@pytest.mark.parametrize(
    ("role_arn", "shown"),
    [
        (None, "-"),
        (ROLE, "123456789012 analyst"),
        ("arn:aws:iam::123456789012:role/a/path/name", "123456789012 a/path/name"),
        ("no arn", "no arn"),
    ],
)
def test_role_is_shown_by_account_and_name(role_arn: str | None, shown: str) -> None:
    assert show_role(role_arn) == shown
