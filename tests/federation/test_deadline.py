from __future__ import annotations

import socket
import threading

import pytest

from botocore_conn_provider.federation.deadline import (
    Deadline,
    DeadlineExceededError,
    find_deadline,
    run_within,
)


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
