"""Whose key signs, whatever changes around a session, and whenever it changes.

Every way of botocore's chain to be somebody is crossed with every moment at which the
environment may become another tenant's. The rule that must never break: what a session
is, it stays, and nobody is handed what another tenant asked for.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import botocore_conn_provider
from botocore_conn_provider.renewal.registry import keepers
from tests.loopback import LOOPBACK, serve
from tests.sessions.tenants import ALICE, BOB, WAYS, Cloud, Tenants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.leaks import Leaks

ROLE = "arn:aws:iam::123456789012:role/job"
CONNECTIONS = {
    "role": {"extra": {"role_arn": ROLE, "region_name": "eu-west-1"}},
    "chain": {"extra": {"region_name": "eu-west-1"}},
}
NAMES = [way.__name__ for way in WAYS]


class World:
    """The process as one tenant or the other."""

    def __init__(
        self, cloud: Cloud, environments: dict[str, dict[str, str]], home: Path
    ) -> None:
        self.cloud = cloud
        self.environments = environments
        self._home = str(home)

    def become(self, tenant: str) -> None:
        """Make the process's environment and directory those of a tenant."""
        names = {name for each in self.environments.values() for name in each}
        for name in names - {"@directory"}:
            os.environ.pop(name, None)
        os.environ["HOME"] = self._home
        own = dict(self.environments[tenant])
        os.chdir(own.pop("@directory", "/"))
        os.environ.update(own)

    def ask(self, session: boto3.Session) -> str:
        """Return whose key signs a call of this session."""
        client = session.client("sts", endpoint_url=self.cloud.url)
        arn: str = client.get_caller_identity()["Arn"]
        return arn.rpartition("/")[2]


@pytest.fixture
def world(
    request: pytest.FixtureRequest,
    leaks: Leaks,
    isolated: Path,
    tmp_path: Path,
) -> Iterator[World]:
    """The world of a way and a connection, installed."""
    way, kind = request.param
    cloud = Cloud()
    before, directory = dict(os.environ), os.getcwd()  # noqa: PTH109
    with serve(cloud) as port, leaks.user_calls():
        cloud.url = f"http://{LOOPBACK}:{port}"
        tenants = Tenants(cloud, tmp_path / "tenants")
        (tmp_path / "tenants").mkdir()
        make = WAYS[NAMES.index(way)]
        environments = {tenant: make(tenants, tenant) for tenant in (ALICE, BOB)}
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            os.environ.pop(name, None)  # else the files of a HOME are not looked for
        os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = json.dumps(CONNECTIONS[kind])
        os.environ["AWS_ENDPOINT_URL_STS"] = cloud.url
        botocore_conn_provider.install()
        yield World(cloud, environments, isolated)
        botocore_conn_provider.uninstall()
        keepers.forget()
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(before)


def cross(*kinds: str) -> Callable[[Any], Any]:
    pairs = [(way, kind) for way in NAMES for kind in kinds]
    ids = [f"{way}-{kind}" for way, kind in pairs]
    return pytest.mark.parametrize("world", pairs, indirect=True, ids=ids)


@cross("role", "chain")
def test_change_between_birth_and_first_use(world: World) -> None:
    world.become(ALICE)
    hers = boto3.Session()
    world.become(BOB)
    assert world.ask(hers) == ALICE
    assert world.ask(boto3.Session()) == BOB
    assert world.ask(hers) == ALICE


@cross("role")
def test_change_between_use_and_renewal(world: World) -> None:
    world.become(ALICE)
    hers = boto3.Session()
    assert world.ask(hers) == ALICE
    exchanges = world.cloud.exchanges
    world.become(BOB)
    his = boto3.Session()
    assert world.ask(his) == BOB
    for session in (hers, his):
        credentials: Any = session.get_credentials()
        credentials._keeper.state.held = None
    assert world.ask(hers) == ALICE
    assert world.ask(his) == BOB
    assert world.cloud.exchanges >= exchanges + 3


@cross("role", "chain")
def test_two_sessions_in_turn(world: World) -> None:
    world.become(ALICE)
    hers = boto3.Session()
    assert world.ask(hers) == ALICE
    world.become(BOB)
    his = boto3.Session()
    assert world.ask(his) == BOB
    world.become(ALICE)
    assert world.ask(his) == BOB
    assert world.ask(hers) == ALICE
    assert world.ask(boto3.Session()) == ALICE


@cross("role")
def test_two_threads_at_once(world: World) -> None:
    sessions = []
    for tenant in (ALICE, BOB):
        world.become(tenant)
        sessions += [(tenant, boto3.Session()) for _ in range(2)]

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asked = [(tenant, pool.submit(world.ask, each)) for tenant, each in sessions]
        assert [(tenant, done.result()) for tenant, done in asked] == [
            (tenant, tenant) for tenant, _ in sessions
        ]


@cross("role", "chain")
@pytest.mark.parametrize("used_before", [False, True])
def test_parent_and_child(world: World, used_before: bool) -> None:  # noqa: FBT001
    world.become(ALICE)
    hers = boto3.Session()
    if used_before:
        assert world.ask(hers) == ALICE
    world.become(BOB)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:  # pragma: no cover - in the child
        try:
            told = [world.ask(hers), world.ask(boto3.Session())]
        except BaseException as error:  # noqa: BLE001 - told to the parent
            told = [type(error).__name__, str(error)]
        os.write(writing, json.dumps(told).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told_by_child:
        told = json.loads(told_by_child.read())
    assert told == [ALICE, BOB], told
    os.waitpid(child, 0)
    assert world.ask(hers) == ALICE


@cross("role")
def test_two_processes_with_the_store(world: World, tmp_path: Path) -> None:
    os.environ["BOTOCORE_CONN_STORE"] = str(tmp_path / "store")
    for tenant in (ALICE, BOB, ALICE):
        assert ask_in_a_process(world, tenant) == [tenant, tenant]
    # The store was in use: without it there would be nothing to hand over.
    assert list(tmp_path.glob("store*/*"))


def ask_in_a_process(world: World, tenant: str) -> list[str]:
    """Return who two sessions are in a process that has kept nothing."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:  # pragma: no cover - in the child
        try:
            keepers.forget()
            world.become(tenant)
            told = [world.ask(boto3.Session()), world.ask(boto3.Session())]
        except BaseException as error:  # noqa: BLE001 - told to the parent
            told = [type(error).__name__, str(error)]
        os.write(writing, json.dumps(told).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told_by_child:
        answer: list[str] = json.loads(told_by_child.read())
    os.waitpid(child, 0)
    return answer
