"""The endpoint's HTTP: what clients of every kind get, and what they cost."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import socket
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from botocore_conn_provider.endpoint import server as server_module
from botocore_conn_provider.endpoint.conversation import Conversation
from botocore_conn_provider.endpoint.endpoint import open_port
from botocore_conn_provider.endpoint.supply import Awaited, FixedSupply, Handed
from botocore_conn_provider.errors import CredentialFetchError
from botocore_conn_provider.secret import Secret
from tests.endpoint.asking import ask, make_credentials, open_endpoint, open_fixed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.endpoint.endpoint import Answered, Endpoint
    from tests.leaks import Secrets


@pytest.fixture
def endpoint(secrets: Secrets) -> Iterator[Endpoint]:
    with open_fixed(secrets) as opened:
        yield opened


def connect(endpoint: Endpoint) -> socket.socket:
    return socket.create_connection(("127.0.0.1", endpoint.port), timeout=30)


def read_all(sock: socket.socket) -> bytes:
    """Read to the end of the connection."""
    read = b""
    with contextlib.suppress(ConnectionError):
        while chunk := sock.recv(65536):
            read += chunk
    return read


def write_request(endpoint: Endpoint) -> bytes:
    path = endpoint.url.partition(str(endpoint.port))[2]
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{endpoint.port}\r\n"
        f"Authorization: {endpoint.token.reveal()}\r\n\r\n"
    ).encode()


def test_who_shows_the_token_gets_the_credentials(endpoint: Endpoint) -> None:
    reply = ask(endpoint)
    assert reply.status == 200
    assert reply.document["AccessKeyId"] == "ASIAENDPOINT00000001"
    assert set(reply.document) == {
        "AccessKeyId",
        "SecretAccessKey",
        "Token",
        "Expiration",
        "AccountId",
    }
    assert reply.headers["Cache-Control"] == "no-store"
    assert not {name for name in reply.headers if name.lower().startswith("access-")}


def test_denial_says_why_in_both_spellings(endpoint: Endpoint) -> None:
    reply = ask(endpoint, token=None)
    assert reply.status == 401
    assert reply.document["code"] == reply.document["Code"] == "MissingToken"
    assert reply.document["message"] == reply.document["Message"]


def test_address_is_one_that_every_sdk_takes(endpoint: Endpoint) -> None:
    assert endpoint.url.startswith(f"http://127.0.0.1:{endpoint.port}/")


def test_token_file_is_private_and_has_no_newline(endpoint: Endpoint) -> None:
    file = Path(endpoint.token_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert file.read_bytes() == endpoint.token.reveal().encode()
    assert len(file.read_bytes()) >= 43


def test_closed_endpoint_leaves_nothing(secrets: Secrets) -> None:
    with open_fixed(secrets) as endpoint:
        ask(endpoint)
    assert not Path(endpoint.token_path).parent.exists()
    with pytest.raises(ConnectionError):
        ask(endpoint, token="any")
    endpoint.close()


def test_health_needs_no_token_and_tells_no_secret(endpoint: Endpoint) -> None:
    reply = ask(endpoint, path="/healthz", token=None)
    assert reply.status == 200
    assert reply.document == {"alive": True, "fresh": True, "seconds_left": 3600}


def test_one_connection_serves_many_requests(endpoint: Endpoint) -> None:
    with connect(endpoint) as sock:
        for _ in range(50):
            sock.sendall(write_request(endpoint))
            assert sock.recv(65536).startswith(b"HTTP/1.1 200")


def test_requests_that_were_sent_ahead_are_answered_in_turn(endpoint: Endpoint) -> None:
    with connect(endpoint) as sock:
        sock.sendall(write_request(endpoint) * 5)
        read = b""
        while read.count(b"AccessKeyId") < 5:
            read += sock.recv(65536)
    assert read.count(b"HTTP/1.1 200") == 5


def test_request_that_comes_in_single_bytes_is_answered(endpoint: Endpoint) -> None:
    with connect(endpoint) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in write_request(endpoint):
            sock.sendall(bytes([byte]))
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000,
        b"GET /" + b"a" * 200_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        b"GET  HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n Folded: b\r\n\r\n",
        b"\r\n" * 100_000,
        bytes(100_000),
    ],
)
def test_what_is_no_request_ends_the_connection(
    endpoint: Endpoint, sent: bytes
) -> None:
    with connect(endpoint) as sock:
        with contextlib.suppress(ConnectionError):
            sock.sendall(sent)
        assert b"AccessKeyId" not in read_all(sock)
    assert ask(endpoint).status == 200


def test_body_of_a_post_does_not_hide_the_denial(endpoint: Endpoint) -> None:
    reply = ask(endpoint, method="POST")
    assert reply.status == 405


def test_clients_that_say_nothing_keep_nobody_out(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "MOST_CLIENTS", 20)
    with contextlib.ExitStack() as silent:
        for _ in range(100):
            sock = silent.enter_context(connect(endpoint))
            sock.sendall(b"GET / HT")
        assert ask(endpoint).status == 200


def test_silent_client_is_closed_in_time(
    secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "botocore_conn_provider.endpoint.conversation.REQUEST_SECONDS", 0.05
    )
    with open_fixed(secrets) as endpoint, connect(endpoint) as sock:
        sock.sendall(b"GET / HT")
        assert read_all(sock) == b""


def test_client_that_reads_nothing_is_closed_and_costs_no_memory(
    secrets: Secrets,
) -> None:
    written: list[int] = []

    class Counting(Conversation):
        def write(self) -> None:
            written.append(len(self._out))
            super().write()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "botocore_conn_provider.endpoint.conversation.Conversation", Counting
        )
        with open_fixed(secrets) as endpoint, connect(endpoint) as sock:
            sock.settimeout(2)
            with contextlib.suppress(OSError):
                while True:
                    sock.sendall(write_request(endpoint) * 100)
            assert ask(endpoint).status == 200
    assert max(written) < 100_000


def test_ten_thousand_wrong_tokens_get_nothing(endpoint: Endpoint) -> None:
    def try_some(number: int) -> set[int]:
        return {
            ask(endpoint, token=f"guess-{number}-{each}").status for each in range(200)
        }

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = set().union(*pool.map(try_some, range(50)))
    assert statuses == {401}
    assert ask(endpoint).status == 200


class Waiting:
    """A supply whose exchange has not ended yet."""

    def __init__(self, secrets: Secrets, *, seconds: float = 30.0) -> None:
        self.renewal: concurrent.futures.Future[None] = concurrent.futures.Future()
        self.asked = threading.Event()
        self._handed = Handed(make_credentials(secrets), 3600.0)
        self._seconds = seconds

    def take(self, before: Awaited | None = None) -> Handed | Awaited:
        self.asked.set()
        if self.renewal.done():
            return self._handed
        if before is not None:
            raise CredentialFetchError(conn_id="data", cause="the source hangs.")
        return Awaited(self.renewal, self._seconds)

    def find_seconds_left(self) -> float | None:
        return None


def test_client_waits_for_the_first_exchange_and_blocks_no_other(
    secrets: Secrets,
) -> None:
    supply = Waiting(secrets)
    with (
        open_endpoint(supply) as endpoint,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        waiting = [pool.submit(ask, endpoint) for _ in range(3)]
        supply.asked.wait(30)
        health = ask(endpoint, path="/healthz", token=None)
        assert health.document == {"alive": True, "fresh": False, "seconds_left": None}
        assert not any(each.done() for each in waiting)
        supply.renewal.set_result(None)
        assert [each.result(30).status for each in waiting] == [200, 200, 200]


def test_client_whose_exchange_hangs_is_told_so(secrets: Secrets) -> None:
    with open_endpoint(Waiting(secrets, seconds=0.05)) as endpoint:
        reply = ask(endpoint)
    assert reply.status == 403
    assert reply.document["Code"] == "CredentialFetchError"
    assert "the source hangs" in reply.document["Message"]


def test_client_that_hangs_up_while_it_waits_is_forgotten(secrets: Secrets) -> None:
    supply = Waiting(secrets)
    with open_endpoint(supply) as endpoint:
        with connect(endpoint) as sock:
            sock.sendall(write_request(endpoint))
            supply.asked.wait(30)
        supply.renewal.set_result(None)
        assert ask(endpoint).status == 200


class Broken:
    """A supply that fails as nothing should."""

    def take(self, before: Awaited | None = None) -> Any:  # noqa: ARG002 - of the protocol
        raise ZeroDivisionError("with a secret in it")

    def find_seconds_left(self) -> None:
        return None


def test_fault_of_ours_is_told_by_its_kind_only_and_ends_nothing() -> None:
    with open_endpoint(Broken()) as endpoint:
        for _ in range(2):
            reply = ask(endpoint)
            assert reply.status == 403
            assert "ZeroDivisionError" in reply.document["Message"]
            assert "with a secret in it" not in json.dumps(reply.document)


def test_keys_without_a_session_token_are_not_handed_out(secrets: Secrets) -> None:
    keys = make_credentials(secrets)._replace(session_token=Secret(""))
    with open_endpoint(FixedSupply(keys)) as endpoint:
        reply = ask(endpoint)
    assert (reply.status, reply.document["Code"]) == (403, "LongLivedKeys")


def test_each_answer_is_told_to_the_listener(secrets: Secrets) -> None:
    told: list[Answered] = []
    with open_fixed(secrets, on_answer=told.append) as endpoint:
        ask(endpoint)
        ask(endpoint, token="wrong")
    assert [each.status for each in told] == [200, 401]


def test_port_that_is_taken_is_an_error(endpoint: Endpoint) -> None:
    with pytest.raises(OSError, match="in use"):
        open_port(endpoint.port)


def test_port_can_be_used_again_at_once(secrets: Secrets) -> None:
    with open_fixed(secrets) as first, connect(first) as sock:
        sock.sendall(write_request(first))
        sock.recv(65536)
    with open_fixed(secrets, listener=open_port(first.port)) as second:
        assert ask(second).status == 200


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_forked_child_serves_nobody_and_holds_no_port(secrets: Secrets) -> None:
    with open_fixed(secrets) as endpoint:
        ask(endpoint)
        ready, go = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(go)
            os.read(ready, 1)  # until the parent's endpoint is closed
            os._exit(0)
        os.close(ready)
        assert ask(endpoint).status == 200
        endpoint.close()
        try:
            with pytest.raises(ConnectionError):
                ask(endpoint, token="any")
        finally:
            os.close(go)
            os.waitpid(child, 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_forked_child_that_closes_it_takes_nothing_from_the_parent(
    secrets: Secrets,
) -> None:
    with open_fixed(secrets) as endpoint:
        child = os.fork()
        if child == 0:
            endpoint.close()
            os._exit(0)
        os.waitpid(child, 0)
        assert ask(endpoint).status == 200
        assert Path(endpoint.token_path).exists()
