"""What the tests of renewal share: worlds, and keepers of real roles in them."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import pytest

from botocore_conn_provider.connection.environment import Snapshot
from botocore_conn_provider.connection.record import Connection
from botocore_conn_provider.exchange.session_view import SessionView
from botocore_conn_provider.renewal import registry
from botocore_conn_provider.renewal.keeper import Keeper
from tests.renewal.simulation import Simulation
from tests.renewal.waiting_world import WaitingWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.aws import Aws

    FindKeeper = Callable[..., Keeper]

ROLE = "arn:aws:iam::123456789012:role/reader"


@pytest.fixture
def world() -> Iterator[WaitingWorld]:
    """Make a keeper in virtual time, whose threads end with the test."""
    made = WaitingWorld()
    yield made
    made.time.abandon()


@pytest.fixture
def simulation() -> Simulation:
    """Make a world whose time passes by pauses, and by what a test says."""
    return Simulation()


@pytest.fixture
def find_keeper(
    aws: Aws, simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FindKeeper]:
    """Return what finds the keeper of a connection in that world, with a real STS."""
    simulated = functools.partial(Keeper, runtime=simulation.runtime())
    monkeypatch.setattr(registry, "Keeper", simulated)

    def find(**extra: Any) -> Keeper:
        given = {
            "region_name": "eu-west-1",
            "role_arn": ROLE,
            "service_config": {"sts": {"endpoint_url": aws.url}},
            **extra,
        }
        text = json.dumps({"conn_type": "aws", "extra": given})
        snapshot = Snapshot.take()
        settings = Connection.parse(text, environ=snapshot.environ).settings
        return registry.share_keeper(settings, SessionView(snapshot))

    yield find
    registry.keepers.forget()
