from __future__ import annotations

import socket
import threading

import pytest

from botocore_conn_provider.proofs.web_identity import deadline
from botocore_conn_provider.proofs.web_identity.deadline import Deadline, run_within


def test_result_comes_back() -> None:
    assert run_within(5, lambda: 7) == 7


def test_error_of_the_work_comes_back_as_it_is() -> None:
    def work() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run_within(5, work)


def test_late_work_is_given_up() -> None:
    release = threading.Event()
    with pytest.raises(TimeoutError, match=r"no result within 0\.05 s"):
        run_within(0.05, release.wait)
    release.set()


def test_inner_work_ends_with_the_outer_deadline() -> None:
    release = threading.Event()
    with pytest.raises(TimeoutError):
        run_within(0.05, lambda: run_within(60, release.wait))
    release.set()


def test_sockets_of_given_up_work_are_shut() -> None:
    ours, theirs = socket.socketpair()
    ended = threading.Event()

    def work() -> bytes:
        current = deadline.find_deadline()
        assert current is not None
        current.watch(ours)
        read = ours.recv(1)  # nothing ever comes
        ended.set()
        return read

    with ours, theirs:
        with pytest.raises(TimeoutError):
            run_within(0.05, work)
        assert ended.wait(10)


def test_socket_opened_too_late_is_shut_at_once() -> None:
    ours, theirs = socket.socketpair()
    over = Deadline(0)
    over.end()
    with ours, theirs:
        over.watch(ours)
        assert theirs.recv(1) == b""
    assert over.remaining_seconds == 0


def test_closed_socket_is_no_error() -> None:
    ours, theirs = socket.socketpair()
    current = Deadline(5)
    current.watch(ours)
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
    assert run_within(5, threading.get_ident) == threading.get_ident()
