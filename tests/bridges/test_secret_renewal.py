"""The thread that renews DuckDB's secret, without DuckDB."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from botocore_conn_provider import CredentialFetchError
from botocore_conn_provider.bridges.duckdb_renewal import SecretRenewal
from botocore_conn_provider.bridges.duckdb_secret import KeptSecret
from botocore_conn_provider.events import Event

if TYPE_CHECKING:
    from types import FrameType

HEARD = Event("renewal_succeeded", "aws_default")


class Lender:
    """Of a connection that gives nothing."""

    conn_id = "aws_default"

    def __init__(self, error: Exception) -> None:
        self._error = error

    def lend(self) -> Any:
        raise self._error


class Connection:
    """DuckDB's."""


def make_renewal(connection: Connection, error: Exception) -> SecretRenewal:
    lender: Any = Lender(error)
    return SecretRenewal(KeptSecret(lender, ("s3://",)), connection)


@pytest.mark.parametrize(
    "error",
    [
        CredentialFetchError(conn_id="aws_default", cause="no"),
        RuntimeError("botocore's, which keeps the credentials of its own chain"),
    ],
)
def test_source_that_fails_is_asked_less_and_less_often(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody may be using the secret, and each ask may be a sign-in that is refused."""
    connection = Connection()
    renewal = make_renewal(connection, error)
    waited: list[float] = []
    monkeypatch.setattr(renewal, "_wait", waited.append)
    renewal._pause_seconds = 1.0  # after a first failure
    assert [renewal._renew() for _ in range(11)] == [True] * 11
    assert waited[:4] == [1, 2, 4, 8]
    assert waited[-2:] == [300, 300]


def test_connection_may_be_let_go_at_any_moment_of_an_event() -> None:
    """The collector runs anywhere, also inside what wakes the thread."""
    for moment in range(1, 40):
        connections = [Connection()]
        renewal = make_renewal(connections[0], RuntimeError())

        def hear(
            moment: int = moment,
            renewal: SecretRenewal = renewal,
            connections: list[Connection] = connections,
        ) -> None:
            lines = 0

            def trace(_: FrameType, event: str, __: object) -> Any:
                nonlocal lines
                lines += event == "line"
                if lines == moment:
                    connections.clear()
                return trace

            sys.settrace(trace)
            try:
                renewal._hear(HEARD)
            finally:
                sys.settrace(None)

        thread = threading.Thread(target=hear, daemon=True)
        thread.start()
        thread.join(10)
        assert not thread.is_alive(), f"stuck, let go at line {moment}"
