"""Fingerprints, the registry, and what a fork leaves."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider import events
from botocore_conn_provider.connection.settings import (
    AssumeRole,
    AwsSettings,
    StaticKeys,
)
from botocore_conn_provider.events import Event
from botocore_conn_provider.fork import PerProcess
from botocore_conn_provider.renewal.identity import fingerprint
from botocore_conn_provider.renewal.registry import IDLE_KEEPERS, Keepers
from botocore_conn_provider.secret import KeyId, Options, Secret
from tests.renewal.simulation import Simulation, issue

if TYPE_CHECKING:
    from tests.child import Children

ROLE = AssumeRole("arn:aws:iam::123456789012:role/r", Options({"Tags": [1, "a"]}))
SETTINGS = AwsSettings("x", keys=StaticKeys(KeyId("AKIA"), Secret("s")), role=ROLE)


def test_same_identity_has_the_same_fingerprint() -> None:
    noticed = SETTINGS._replace(notices=("deprecated",))
    assert fingerprint(SETTINGS, {"a": "1", "b": "2"}) == fingerprint(
        noticed, {"b": "2", "a": "1"}
    )


@pytest.mark.parametrize(
    ("settings", "who_asks"),
    [
        (SETTINGS, {"base": "other"}),
        (SETTINGS, {}),
        (SETTINGS._replace(keys=StaticKeys(KeyId("AKIA"), Secret("t"))), {"base": "b"}),
        (SETTINGS._replace(keys=StaticKeys(KeyId("AKIAs"), Secret(""))), {"base": "b"}),
        (SETTINGS._replace(role=None), {"base": "b"}),
        (SETTINGS._replace(role=ROLE._replace(parameters=Options())), {"base": "b"}),
        (SETTINGS._replace(profile_name="None"), {"base": "b"}),
    ],
)
def test_every_difference_counts(
    settings: AwsSettings, who_asks: dict[str, str]
) -> None:
    assert fingerprint(settings, who_asks) != fingerprint(SETTINGS, {"base": "b"})


def test_fingerprint_is_the_same_in_another_process(run_python: Children) -> None:
    ended = run_python(
        """
        import sys
        sys.path.insert(0, sys.argv[1])
        from tests.renewal.test_identity import SETTINGS, fingerprint
        print(fingerprint(SETTINGS, {"base": "b"}))
        """,
        str(Path(__file__).parents[2]),
        env={"PYTHONHASHSEED": "7"},
    )
    assert ended.stdout.strip() == fingerprint(SETTINGS, {"base": "b"}), ended.stderr


def test_sessions_of_one_identity_share_a_keeper() -> None:
    world, keepers = Simulation(), Keepers()
    one = keepers.share("f", world.build_keeper)
    assert keepers.share("f", pytest.fail) is one
    assert keepers.share("g", world.build_keeper) is not one


def test_idle_keepers_are_bounded_and_used_ones_stay() -> None:
    world, keepers = Simulation(), Keepers()
    used = keepers.share("used", world.build_keeper)
    for number in range(IDLE_KEEPERS + 5):
        keepers.share(str(number), world.build_keeper)
    assert len(keepers._all) == IDLE_KEEPERS + 1
    assert keepers.share("used", pytest.fail) is used
    keepers.forget()
    assert list(keepers._all) == ["used"]


def test_rejection_reaches_the_keeper_that_has_the_set() -> None:
    world, keepers = Simulation(), Keepers()
    one = keepers.share("f", world.build_keeper)
    other = keepers.share("g", world.build_keeper)
    first, second = one.current(), other.current()
    world.pass_time(61)
    assert keepers.reject(first.access_key_id)
    assert not keepers.reject("ASIASTRANGER")
    assert one.current() != first
    assert other.current() is second


def test_forked_child_works_while_the_parents_locks_are_held() -> None:
    world, keepers = Simulation(), Keepers()
    keeper = keepers.share("f", world.build_keeper)
    keeper.current()
    made = PerProcess(os.getpid)
    assert made() == made() == os.getpid()
    with keepers._lock, keeper._renewals.lock:
        child = os.fork()
        if child == 0:  # pragma: no cover - coverage does not see a bare exit
            world.pass_time(3590)
            keepers.share("f", world.build_keeper).current()
            os._exit(0 if len(world.asked) == 2 and made() == os.getpid() else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_listeners_hear_until_removed_and_a_broken_one_harms_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[Event] = []

    def fail(_: Event) -> None:
        raise ValueError("never shown")

    told = Event("renewal_failed", "x", 7.0, error="Gone", degraded=True)
    events.add_listener(fail)
    events.add_listener(heard.append)
    events.announce(told)
    events.remove_listener(fail)
    events.remove_listener(heard.append)
    events.announce(told._replace(seconds_to_expiry=None, error=None))
    assert heard == [told]
    first = caplog.records[0]
    assert first.levelno == logging.WARNING
    assert first.getMessage() == "Connection 'x': renewal failed (Gone), 7 s to expiry"
    assert vars(first)["conn_event"] == "renewal_failed"
    assert vars(first)["seconds_to_expiry"] == 7.0
    assert "never shown" not in caplog.text


def test_foreign_errors_tell_their_type_only() -> None:
    assert events.describe(ValueError("a token")) == "ValueError"
    assert issue(1, 0).access_key_id not in repr(issue(1, 0).secret_access_key)
