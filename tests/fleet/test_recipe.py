"""What a driver sends: the recipe, whatever the engine, and nothing that is wrong."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider import ConnectionNotFoundError, InvalidConnectionError
from botocore_conn_provider.fleet.driver import read_text_to_send, write_recipe
from botocore_conn_provider.fleet.recipe import Recipe
from botocore_conn_provider.fleet.worker import AUTOLOAD, change_worker_environment
from botocore_conn_provider.secret import Secret

if TYPE_CHECKING:
    from tests.leaks import Leaks, Secrets


def test_variables_of_a_recipe_name_the_connection_and_hold_no_more() -> None:
    assert Recipe("lake").list_variables() == {
        "BOTOCORE_CONN_ID": "lake",
        "BOTOCORE_CONN_ENGINES": "1",
    }
    assert Recipe("lake", engines=False, start_spread_seconds=60).list_variables() == {
        "BOTOCORE_CONN_ID": "lake",
        "BOTOCORE_CONN_ENGINES": "0",
        "BOTOCORE_CONN_START_SPREAD_SECONDS": "60",
    }


@pytest.mark.parametrize("seconds", [-1, 3601, math.nan, math.inf])
def test_impossible_spread_is_refused_at_the_driver(seconds: float) -> None:
    with pytest.raises(InvalidConnectionError, match="start_spread_seconds"):
        write_recipe("lake", engines=True, start_spread_seconds=seconds)


def test_connection_in_place_of_its_id_is_refused_and_not_shown(
    secrets: Secrets, leaks: Leaks
) -> None:
    text = f"aws://{secrets.new_access_key_id()}:{secrets.new('secret key')}@/"
    with pytest.raises(InvalidConnectionError) as caught:
        write_recipe(text, engines=True, start_spread_seconds=0)
    leaks.check_text(str(caught.value), place="the error")


def test_store_of_the_node_counts_and_without_one_it_is_on() -> None:
    chosen = {"BOTOCORE_CONN_STORE": "/mnt/store"}
    change_worker_environment(chosen, Recipe("lake"))
    plain: dict[str, str] = {}
    change_worker_environment(plain, Recipe("lake"))
    assert chosen["BOTOCORE_CONN_STORE"] == "/mnt/store"
    assert plain["BOTOCORE_CONN_STORE"] == "on"


def test_path_of_the_worker_is_kept_behind_ours_however_often_it_is_set_up() -> None:
    environ = {"PYTHONPATH": os.pathsep.join(("/a", "", "/b"))}
    for _ in range(2):
        change_worker_environment(environ, Recipe("lake"))
    assert environ["PYTHONPATH"] == os.pathsep.join((str(AUTOLOAD), "/a", "/b"))


def test_sent_text_takes_precedence_over_that_of_the_node() -> None:
    environ = {"AIRFLOW_CONN_LAKE": "aws://of-the-node"}
    change_worker_environment(environ, Recipe("lake"), sent=Secret("aws://sent"))
    assert environ["AIRFLOW_CONN_LAKE"] == "aws://sent"


def test_text_to_send_must_be_there_and_right(
    monkeypatch: pytest.MonkeyPatch, secrets: Secrets, leaks: Leaks
) -> None:
    with pytest.raises(ConnectionNotFoundError):
        read_text_to_send("lake")
    wrong = f"aws://{secrets.new('login')}@/?role_arn=nonsense"
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", wrong)
    with pytest.raises(InvalidConnectionError) as caught:
        read_text_to_send("lake")
    leaks.check_text(str(caught.value), place="the error")
