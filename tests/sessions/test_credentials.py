from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING

import pytest
from botocore.credentials import RefreshableCredentials

from botocore_conn_provider.sessions.credentials import KeptCredentials, freeze
from tests.renewal.simulation import EPOCH, HOUR, Simulation, issue

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore_conn_provider.renewal.keeper import Keeper


def make_again(conn_id: str) -> str:
    return f"made from {conn_id}"


def keep(keeper: Keeper) -> KeptCredentials:
    return KeptCredentials(keeper, method="conn-x", recipe=(make_again, ("aws_x",)))


def test_nothing_is_fetched_before_first_use() -> None:
    world = Simulation()
    kept = keep(world.build_keeper())
    assert isinstance(kept, RefreshableCredentials)
    assert (kept.method, kept.refresh_needed(), world.asked) == ("conn-x", True, [])
    assert repr(kept) == "KeptCredentials(method='conn-x')"


def test_reading_the_expiry_is_a_use() -> None:
    world = Simulation()
    assert keep(world.build_keeper())._expiry_time == issue(1, EPOCH + HOUR).expires_at
    assert len(world.asked) == 1


def test_every_member_shows_the_current_set() -> None:
    world = Simulation()
    fetched = issue(1, EPOCH + HOUR, account_id="123456789012")
    kept = keep(world.build_keeper(fetch=lambda: fetched))
    assert kept.access_key == fetched.access_key_id
    assert kept.secret_key == "secret-1"
    assert kept.token == "token-1"
    assert kept.account_id == "123456789012"
    frozen = kept.get_frozen_credentials()
    assert frozen == freeze(fetched)
    assert kept.get_frozen_credentials() is frozen
    assert not kept.refresh_needed()
    assert kept.refresh_needed(HOUR + 1)


def test_expiry_and_frozen_set_follow_a_renewal() -> None:
    world = Simulation()
    kept = keep(world.build_keeper())
    old = kept.get_frozen_credentials()
    world.pass_time(HOUR)
    new = kept.get_frozen_credentials()
    assert (old.secret_key, new.secret_key) == ("secret-1", "secret-2")
    assert kept._expiry_time == issue(2, EPOCH + 2 * HOUR).expires_at


def test_keys_cannot_be_set() -> None:
    kept = keep(Simulation().build_keeper())
    with pytest.raises(AttributeError):
        setattr(kept, "access_key", "AKIAOTHER")  # noqa: B010 - mypy would forbid it


def test_pickle_holds_the_recipe_only() -> None:
    kept = keep(Simulation().build_keeper())
    kept.get_frozen_credentials()
    pickled = pickle.dumps(kept)
    assert pickle.loads(pickled) == "made from aws_x"  # noqa: S301
    assert b"secret-1" not in pickled
    assert b"token-1" not in pickled


@pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy])
def test_copies_are_renewed_by_the_same_keeper(
    make_copy: Callable[[KeptCredentials], KeptCredentials],
) -> None:
    world = Simulation()
    kept = keep(world.build_keeper())
    copied = make_copy(kept)
    assert copied.get_frozen_credentials() == kept.get_frozen_credentials()
    assert len(world.asked) == 1
    assert (copied.method, pickle.dumps(copied)) == ("conn-x", pickle.dumps(kept))
