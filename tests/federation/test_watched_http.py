from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import pytest
import requests

from botocore_conn_provider.federation.deadline import (
    Deadline,
    DeadlineExceededError,
    run_within,
)
from botocore_conn_provider.federation.watched_http import WatchedAdapter

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server, or proxy, whose answer never comes to an end."""
    released = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        with contextlib.suppress(OSError), listening.accept()[0] as connection:
            connection.sendall(b"HTTP/1.1 502 ")
            while not released.wait(0.02):
                connection.sendall(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    released.set()
    thread.join()
    listening.close()


# No time-outs: nothing but the deadline ends these.
@pytest.mark.parametrize(
    "url", ["", "https://idp.example.org"], ids=["direct", "proxy"]
)
def test_thread_of_given_up_work_ends(url: str, dripping: str) -> None:
    ended = threading.Event()

    def ask() -> None:
        with requests.Session() as session:
            session.mount("http://", WatchedAdapter())
            session.mount("https://", WatchedAdapter())
            try:
                session.get(url or dripping, proxies={"https": dripping})
            finally:
                ended.set()

    with pytest.raises(DeadlineExceededError):
        run_within(Deadline(0.3), ask)

    assert ended.wait(10)


def test_connection_without_a_deadline_is_not_watched(dripping: str) -> None:
    with requests.Session() as session:
        session.mount("http://", WatchedAdapter())
        with pytest.raises(requests.Timeout):
            session.get(f"{dripping}/", timeout=(5, 0.001))
