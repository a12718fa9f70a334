"""Many identities in one process keep their credentials, and nothing else.

In processes of their own, because log records that pytest captures keep what they name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sessions.wire import Case, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.child import Children, ForkingParent

KEYED = {"login": "@KEY@", "password": "@SECRET@"}
USE = """
import gc, json, os, weakref
import boto3, botocore_conn_provider
botocore_conn_provider.install()
connection = json.loads(os.environ["AIRFLOW_CONN_AWS_DEFAULT"])

def use(tenant, *handlers):
    role = f"arn:aws:iam::123456789012:role/tenant-{tenant}"
    connection["extra"] = {"role_arn": role}
    os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = json.dumps(connection)
    session = boto3.Session()._session
    for handler in handlers:
        session.get_component("event_emitter").register("before-call.sts", handler)
    session.create_client("sts").get_caller_identity()
    return session
"""


@pytest.fixture
def run(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    run_python: Children,
    forking_parent: ForkingParent,
) -> Callable[[str], list[str]]:
    """Run a program that uses `use(tenant)`; return the words that it prints."""

    def run(code: str) -> list[str]:
        connection = {**KEYED, "conn_type": "aws"}
        world.arrange(Case(connection=connection), monkeypatch)
        ended = run_python(USE + code, parent=forking_parent)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.split()

    return run


def count_exchanges(world: Any) -> int:
    return [each.action for each in world.aws.requests].count("AssumeRole")


def test_nothing_of_a_session_that_is_gone_is_kept(
    run: Callable[[str], list[str]],
) -> None:
    kept = run(
        """
NAMES = ("data_loader", "event_emitter", "credential_provider")
gone = {}
for tenant in range(5):
    session = use(tenant)
    credentials = session.get_credentials()
    parts = {name: session.get_component(name) for name in NAMES}
    parts |= {"session": session, "keeper": credentials._keeper}
    gone |= {f"{name}-{tenant}": weakref.ref(part) for name, part in parts.items()}
del session, credentials, parts
gc.collect()
print(len(gone), *(name for name, part in gone.items() if part() is not None))
"""
    )
    assert kept == ["25"]


def test_handlers_of_a_session_that_is_gone_are_not_kept(
    run: Callable[[str], list[str]],
) -> None:
    kept = run(
        """
def use_with_a_closure():
    session = None
    def handler(**_): return session
    session = use(1, handler)
    return weakref.ref(handler)

gone = use_with_a_closure()
gc.collect()
print(gone())
"""
    )
    assert kept == ["None"]


def test_many_tenants_in_turn_are_exchanged_once_each(
    world: World, run: Callable[[str], list[str]]
) -> None:
    run(
        """
for _ in range(2):
    for tenant in range(40):
        use(tenant)
        gc.collect()
"""
    )
    assert count_exchanges(world) == 40


def test_nothing_that_a_program_gave_is_kept_for_sessions_that_are_gone(
    run: Callable[[str], list[str]],
) -> None:
    kept = run(
        """
import pathlib
from botocore_conn_provider.renewal.registry import keepers
keys = {"Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": "x"}
home = pathlib.Path(os.environ["HOME"])
(home / "keys").write_text(json.dumps(keys))
program = f"[profile tool]\\ncredential_process = cat {home}/keys\\n"
(home / ".aws" / "config").write_text(program)
connection = {"conn_type": "aws", "extra": {"profile_name": "tool"}}
os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = json.dumps(connection)
for _ in range(5):
    boto3.Session().get_credentials().get_frozen_credentials()
    gc.collect()
print(len(keepers._states))
"""
    )
    assert kept == ["0"]
