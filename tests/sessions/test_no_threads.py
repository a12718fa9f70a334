"""Where no thread can be started, the caller fetches the credentials himself."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import botocore_conn_provider
from botocore_conn_provider.federation.deadline import Deadline, run_within
from botocore_conn_provider.renewal.runtime import start_daemon
from tests.renewal.simulation import Simulation
from tests.sessions.wire import Case, World

if TYPE_CHECKING:
    from pathlib import Path

    from tests.leaks import Leaks

ROLE = "arn:aws:iam::123456789012:role/reader"
KEYED = {"login": "@KEY@", "password": "@SECRET@", "extra": {"role_arn": ROLE}}
OURS = ("botocore-conn-renewal", "conn-proof")
START = threading.Thread.start


@pytest.fixture
def without_threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let none of our threads start; return the names of those that were tried."""
    tried: list[str] = []

    def start(thread: threading.Thread) -> None:
        if thread.name in OURS:
            tried.append(thread.name)
            raise RuntimeError("can't start new thread")
        START(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    return tried


def federate(token_file: Path, source: str = "file") -> dict[str, Any]:
    return {
        "extra": {
            "role_arn": ROLE,
            "assume_role_method": "assume_role_with_web_identity",
            "assume_role_with_web_identity_federation": source,
            "assume_role_with_web_identity_token_file": str(token_file),
        }
    }


@pytest.mark.parametrize("kind", ["keys", "token"])
def test_caller_exchanges_in_his_own_thread(
    kind: str,
    world: World,
    tmp_path: Path,
    leaks: Leaks,
    monkeypatch: pytest.MonkeyPatch,
    without_threads: list[str],
) -> None:
    (tmp_path / "token").write_text("opaque-token")
    connection = KEYED if kind == "keys" else federate(tmp_path / "token")
    world.arrange(Case(connection=connection), monkeypatch)
    botocore_conn_provider.install()
    with leaks.user_calls():
        boto3.client("sts").get_caller_identity()
    actions = [each.action or "" for each in world.aws.requests]
    assert actions[0].startswith("AssumeRole")
    assert actions[1:] == ["GetCallerIdentity"]
    assert without_threads


def interrupt_start(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Let `error` come from a signal handler, when the thread runs already."""

    def start(thread: threading.Thread) -> None:
        START(thread)
        if thread.name in OURS:
            raise error

    monkeypatch.setattr(threading.Thread, "start", start)


ERRORS = [RuntimeError("of a handler"), TimeoutError("of a handler")]


@pytest.mark.parametrize("error", ERRORS, ids=lambda each: type(each).__name__)
def test_error_of_a_handler_in_the_start_of_a_thread_is_the_callers(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation = Simulation()
    keeper = simulation.build_keeper()
    runtime = simulation.runtime()._replace(start_thread=start_daemon)
    keeper._renewals._runtime = runtime
    interrupt_start(monkeypatch, error)
    with pytest.raises(type(error), match="of a handler"):
        keeper.current()
    monkeypatch.undo()
    assert keeper.current() is not None


@pytest.mark.parametrize("error", ERRORS, ids=lambda each: type(each).__name__)
def test_sign_in_is_not_made_twice_when_a_handler_raises_in_its_start(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in: list[int] = []
    done = threading.Event()

    def sign_in() -> None:
        signed_in.append(1)
        done.set()

    interrupt_start(monkeypatch, error)
    with pytest.raises(type(error), match="of a handler"):
        run_within(Deadline(30), sign_in)
    assert done.wait(30)
    assert signed_in == [1]
