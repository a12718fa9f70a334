"""Fingerprints, the registry, and what a fork leaves."""

from __future__ import annotations

import logging
import os
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider import events
from botocore_conn_provider.connection.settings import (
    AssumeRole,
    AwsSettings,
    StaticKeys,
)
from botocore_conn_provider.errors import StsExchangeError
from botocore_conn_provider.events import Event
from botocore_conn_provider.renewal.identity import fingerprint
from botocore_conn_provider.renewal.registry import Keepers
from botocore_conn_provider.renewal.schedule import RenewalPolicy
from botocore_conn_provider.secret import KeyId, Options, Secret
from tests.renewal.simulation import HOUR, Simulation, build_fault, issue

if TYPE_CHECKING:
    from botocore_conn_provider.renewal.keeper import Keeper
    from botocore_conn_provider.renewal.state import KeeperState
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


def refuse(_: KeeperState | None) -> Keeper:
    pytest.fail("another keeper was made")


def test_sessions_of_one_identity_share_a_keeper() -> None:
    world, keepers = Simulation(), Keepers()
    one = keepers.share("f", world.remake_keeper)
    assert keepers.share("f", refuse) is one
    assert keepers.share("g", world.remake_keeper) is not one


def test_keeper_that_no_one_uses_goes_and_what_it_held_serves_the_next() -> None:
    world, keepers = Simulation(), Keepers()
    keeper = keepers.share("f", world.remake_keeper)
    issued, gone = keeper.current(), weakref.ref(keeper)
    del keeper
    assert gone() is None
    assert keepers.share("f", world.remake_keeper).current() is issued
    assert len(world.asked) == 1


def test_back_off_of_a_keeper_that_is_gone_holds_for_the_next() -> None:
    world, keepers = Simulation(), Keepers()
    world.fault = build_fault(retryable=False)
    for _ in range(2):
        with pytest.raises(StsExchangeError):
            keepers.share("f", world.remake_keeper).current()
    assert len(world.asked) == 1


def test_credentials_that_expired_and_no_one_uses_are_dropped() -> None:
    world, keepers = Simulation(), Keepers()
    used = keepers.share("used", world.remake_keeper)
    for name in ("used", "idle", "asked for nothing"):
        keeper = keepers.share(name, world.remake_keeper)
        if name != "asked for nothing":
            keeper.current()
        del keeper
    world.pass_time(HOUR - 1)
    keepers.share("later", world.remake_keeper).current()
    assert set(keepers._states) == {"used", "idle", "later"}
    world.pass_time(1)
    keepers.share("last", world.remake_keeper)
    assert set(keepers._states) == {"used", "later", "last"}
    assert keepers.share("used", refuse) is used


def test_expired_credentials_are_kept_for_static_stability() -> None:
    world, keepers = Simulation(), Keepers()
    policy = RenewalPolicy(static_stability_seconds=HOUR)

    def make(state: KeeperState | None) -> Keeper:
        return world.build_keeper(policy, state=state)

    issued = keepers.share("f", make).current()
    world.fault = build_fault()
    world.pass_time(HOUR + 1)
    keepers.share("other", make)
    assert keepers.share("f", make).current() is issued


def test_late_answer_for_another_identity_reaches_no_one_else() -> None:
    world, keepers = Simulation(), Keepers()
    first = keepers.share("f", world.remake_keeper)
    late = first.state
    first.current()
    del first
    second = keepers.share("f", world.remake_keeper)
    keepers.part("f", late)
    assert keepers.share("f", refuse) is second
    late.held = None
    assert second.state.held is not None
    del second
    keepers.part("f", keepers._states["f"])
    assert keepers.share("f", world.remake_keeper).state.held is None


def test_rejection_reaches_the_keeper_that_has_the_set() -> None:
    world, keepers = Simulation(), Keepers()
    one = keepers.share("f", world.remake_keeper)
    other = keepers.share("g", world.remake_keeper)
    first, second = one.current(), other.current()
    world.pass_time(61)
    assert keepers.reject(first.access_key_id)
    assert not keepers.reject("ASIASTRANGER")
    assert one.current() != first
    assert other.current() is second


def test_forked_child_works_while_the_parents_locks_are_held() -> None:
    world, keepers = Simulation(), Keepers()
    keeper = keepers.share("f", world.remake_keeper)
    keeper.current()
    with keepers._lock, keeper._renewals.lock:
        child = os.fork()
        if child == 0:  # pragma: no cover - coverage does not see a bare exit
            world.pass_time(3590)
            keepers.share("f", world.remake_keeper).current()
            os._exit(0 if len(world.asked) == 2 else 1)
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
