from __future__ import annotations

import gc
import socket
import threading
import weakref
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.attempt_end import ending_in
from botocore_conn_provider.federation.deadline import (
    Deadline,
    DeadlineExceededError,
    find_deadline,
    run_within,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class Link:
    """A connection, as far as the deadline knows it."""

    def __init__(self, sock: socket.socket | None) -> None:
        self.sock = sock


def test_result_comes_back() -> None:
    assert run_within(Deadline(5), lambda: 7) == 7


def test_error_of_the_work_comes_back_as_it_is() -> None:
    def work() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run_within(Deadline(5), work)


def test_late_work_is_given_up() -> None:
    release = threading.Event()
    with pytest.raises(DeadlineExceededError):
        run_within(Deadline(0.05), release.wait)
    release.set()


def test_inner_work_ends_with_the_outer_deadline() -> None:
    release = threading.Event()
    with pytest.raises(DeadlineExceededError):
        run_within(Deadline(0.05), lambda: run_within(Deadline(60), release.wait))
    release.set()


def test_sockets_of_given_up_work_are_shut() -> None:
    ours, theirs = socket.socketpair()
    ended = threading.Event()

    def work() -> bytes:
        current = find_deadline()
        assert current is not None
        current.watch(Link(ours))
        read = ours.recv(1)  # nothing ever comes
        ended.set()
        return read

    with ours, theirs:
        with pytest.raises(DeadlineExceededError):
            run_within(Deadline(0.05), work)
        assert ended.wait(10)


def test_work_ends_with_the_attempt_that_it_belongs_to() -> None:
    with ending_in(0):
        assert Deadline(60).remaining_seconds == 0
    with ending_in(60):
        assert Deadline(0).remaining_seconds == 0
    assert Deadline(60).remaining_seconds > 0


def test_socket_opened_too_late_is_shut_at_once() -> None:
    ours, theirs = socket.socketpair()
    over = Deadline(0)
    over.end()
    with ours, theirs:
        over.watch(Link(ours))
        assert theirs.recv(1) == b""
    assert over.remaining_seconds == 0


def test_closed_socket_is_no_error() -> None:
    ours, theirs = socket.socketpair()
    current = Deadline(5)
    current.watch(Link(ours))
    ours.close()
    theirs.close()
    current.end()


def test_work_runs_in_line_where_no_thread_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class NoThread(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading, "Thread", NoThread)
    assert run_within(Deadline(5), threading.get_ident) == threading.get_ident()


def test_error_says_what_was_done_when_the_deadline_came() -> None:
    release, deadline = threading.Event(), Deadline(0.05)

    def work() -> None:
        deadline.doing = "waiting for the event"
        release.wait()

    with pytest.raises(DeadlineExceededError):
        run_within(deadline, work)
    deadline.doing = "something else"
    release.set()
    with pytest.raises(DeadlineExceededError):
        deadline.require_time()
    assert deadline.was_doing == "waiting for the event"


def test_connection_that_is_not_open_yet_is_no_error() -> None:
    current = Deadline(5)
    current.watch(Link(None))
    current.end()


def test_time_that_is_left_is_told() -> None:
    assert 0 < Deadline(5).require_time() <= 5


def test_pause_ends_with_the_deadline() -> None:
    deadline = Deadline(0.01)
    deadline.pause(3600)
    assert deadline.remaining_seconds == 0


@pytest.fixture
def _no_collector() -> Iterator[None]:
    """Leave what is freed here to reference counting."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Opened:
    """What work holds when it fails: a connection, a token."""


class Holder:
    """Work that fails while it holds something, once it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.worker = threading.current_thread()
        self.held: weakref.ref[Opened]

    def __call__(self) -> None:
        opened = Opened()
        self.held = weakref.ref(opened)
        self.worker = threading.current_thread()
        self.let_go.wait(10)
        raise KeyError("mine")


@pytest.mark.usefixtures("_no_collector")
def test_failed_work_holds_nothing_once_its_error_is_handled() -> None:
    work = Holder()
    work.let_go.set()
    with pytest.raises(KeyError):
        run_within(Deadline(10), work)
    work.worker.join(10)
    assert work.held() is None


@pytest.mark.usefixtures("_no_collector")
def test_work_that_fails_after_it_was_given_up_holds_nothing() -> None:
    work = Holder()
    with pytest.raises(DeadlineExceededError):
        run_within(Deadline(0.2), work)
    work.let_go.set()
    work.worker.join(10)
    assert work.held() is None


@pytest.mark.usefixtures("_no_collector")
def test_errors_that_refer_to_each_other_hold_nothing() -> None:
    """HTTP libraries keep an error in a local of a frame that the error passed."""
    held: list[weakref.ref[Opened]] = []

    def connect() -> None:
        opened = Opened()
        held.append(weakref.ref(opened))
        raise OSError

    def work() -> None:
        kept = None
        try:
            connect()
        except OSError as error:
            kept = error
            raise KeyError("mine") from kept

    with pytest.raises(KeyError):
        run_within(Deadline(10), work)
    assert held[0]() is None


@pytest.mark.usefixtures("_no_collector")
def test_failed_work_in_line_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    work = Holder()
    work.let_go.set()
    with pytest.raises(KeyError):
        run_within(Deadline(10), work)
    assert work.held() is None
