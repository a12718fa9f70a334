"""The environment for engines, and the way back from it."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botocore_conn_provider.connection.environment import (
    CHANGES_VARIABLE,
    Snapshot,
    restore,
)
from botocore_conn_provider.connection.process_changes import (
    change_process,
    undo_in_process,
)
from botocore_conn_provider.connection.settings import StaticKeys
from botocore_conn_provider.endpoint.variables import (
    IDENTITIES,
    HandedOn,
    change_environment,
    give_keys,
    give_nothing,
)
from botocore_conn_provider.secret import KeyId, Options, Secret
from tests.thoroughness import examples

ENDPOINT = Options(
    {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1234/abc",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/run/x/token",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "the-token",
    }
)
names = st.sampled_from(
    [*IDENTITIES, "AWS_REGION", "AWS_CONFIG_FILE", "NO_PROXY", "no_proxy", "HOME", "X"]
)
environments = st.dictionaries(names, st.text(st.characters(codec="ascii"), max_size=5))


@settings(max_examples=examples(200))
@given(environ=environments)
def test_nothing_that_names_another_identity_is_left(environ: dict[str, str]) -> None:
    after = change_environment(environ, HandedOn(ENDPOINT), notes_changes=False)
    left = {name: value for name, value in after.items() if name in IDENTITIES}
    assert left == dict(ENDPOINT)
    assert after["AWS_EC2_METADATA_DISABLED"] == "true"
    assert (
        after["AWS_CONFIG_FILE"] == after["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    )
    for name in ("HOME", "X"):
        assert after.get(name) == environ.get(name)


@settings(max_examples=examples(200))
@given(environ=environments)
def test_way_back_leads_to_what_was_there(environ: dict[str, str]) -> None:
    after = change_environment(environ, HandedOn(ENDPOINT, "eu-west-1"))
    noted = after.pop(CHANGES_VARIABLE)
    assert restore(after, noted) == environ


@settings(max_examples=examples(200))
@given(environ=environments, later=environments)
def test_what_was_changed_since_stays(
    environ: dict[str, str], later: dict[str, str]
) -> None:
    after = change_environment(environ, HandedOn(ENDPOINT, "eu-west-1"))
    noted = after.pop(CHANGES_VARIABLE)
    back = restore({**after, **later}, noted)
    for name, value in later.items():
        if after.get(name) != value:
            assert back[name] == value


@pytest.mark.parametrize(
    "noted", ["", "x", "[]", "[1]", '{"A": 1}', "null", '{"A": []}']
)
def test_text_that_is_not_ours_undoes_nothing(noted: str) -> None:
    assert restore({"A": "1"}, noted) == {"A": "1"}


@pytest.mark.parametrize(
    "name",
    [
        "AWS_BEARER_TOKEN_BEDROCK",
        "AWS_BEARER_TOKEN_ANYTHING",
        "AWS_PROFILE",
        # Of the SDKs for Go, Java and Ruby.
        "AWS_ACCESS_KEY",
        "AWS_SECRET_KEY",
        "AMAZON_ACCESS_KEY_ID",
        "AMAZON_SECRET_ACCESS_KEY",
        "AMAZON_SESSION_TOKEN",
        # Any spelling, and without a prefix: lance, deltalake, obstore, polars.
        "aws_access_key_id",
        "AWS_secret_access_key",
        "ACCESS_KEY_ID",
        "skip_signature",
    ],
)
def test_variables_that_beat_an_endpoint_are_taken_out(name: str) -> None:
    assert name not in change_environment({name: "x"}, HandedOn(ENDPOINT))


def test_region_of_the_connection_stands_in_both_variables() -> None:
    after = change_environment(
        {"AWS_REGION": "us-east-1"}, HandedOn(ENDPOINT, "eu-west-1")
    )
    assert (after["AWS_REGION"], after["AWS_DEFAULT_REGION"]) == ("eu-west-1",) * 2


def test_region_of_the_environment_stays_where_the_connection_has_none() -> None:
    after = change_environment({"AWS_REGION": "us-east-1"}, HandedOn(ENDPOINT))
    assert after["AWS_REGION"] == "us-east-1"


@pytest.mark.parametrize(
    ("environ", "of_profile", "found"),
    [
        ({}, None, (None, None)),
        ({}, "p", ("p", "p")),
        ({"AWS_REGION": "r"}, None, ("r", "r")),
        ({"AWS_DEFAULT_REGION": "d"}, "p", ("d", "d")),
        ({"AWS_REGION": "r"}, "p", ("r", "p")),
        ({"AWS_REGION": "r", "AWS_DEFAULT_REGION": "d"}, "p", ("r", "d")),
    ],
)
def test_region_is_the_one_that_was_found_before(
    environ: dict[str, str],
    of_profile: str | None,
    found: tuple[str | None, str | None],
) -> None:
    after = change_environment(environ, HandedOn(ENDPOINT, None, of_profile))
    assert (after.get("AWS_REGION"), after.get("AWS_DEFAULT_REGION")) == found


def test_region_of_files_that_stay_is_left_to_them() -> None:
    after = change_environment(
        {"AWS_REGION": "r"}, HandedOn(ENDPOINT), keeps_files=True
    )
    assert "AWS_DEFAULT_REGION" not in after


def test_hosts_that_no_proxy_named_stay_in_both_spellings() -> None:
    environ = {"NO_PROXY": "a.example, b.example", "no_proxy": "b.example,c.example"}
    after = change_environment(environ, HandedOn(ENDPOINT))
    joined = "a.example,b.example,c.example,127.0.0.1,localhost"
    assert (after["NO_PROXY"], after["no_proxy"]) == (joined, joined)


def test_files_stay_where_the_user_says_so() -> None:
    after = change_environment(
        {"AWS_CONFIG_FILE": "/x"}, HandedOn(ENDPOINT), keeps_files=True
    )
    assert after["AWS_CONFIG_FILE"] == "/x"
    assert "AWS_SHARED_CREDENTIALS_FILE" not in after


def test_keys_are_given_whole() -> None:
    keys = StaticKeys(KeyId("AKIAIOSFODNN7EXAMPLE"), Secret("s"))
    environ = {"AWS_SESSION_TOKEN": "of another"}
    after = change_environment(environ, HandedOn(give_keys(keys)))
    assert after["AWS_ACCESS_KEY_ID"] == "AKIAIOSFODNN7EXAMPLE"
    assert after["AWS_SECRET_ACCESS_KEY"] == "s"
    assert "AWS_SESSION_TOKEN" not in after


def test_first_java_sdk_reads_no_file_either() -> None:
    after = change_environment({}, HandedOn(ENDPOINT))
    assert after["AWS_CREDENTIAL_PROFILES_FILE"] == os.devnull


def test_dead_end_leads_to_no_identity() -> None:
    after = change_environment({}, HandedOn(give_nothing()))
    assert after["AWS_CONTAINER_CREDENTIALS_FULL_URI"].startswith("http://127.0.0.1:1/")
    assert after["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]


def test_snapshot_sees_the_environment_of_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.delenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", raising=False)
    before = Snapshot.take().environ
    changes = change_process(change_environment(before, HandedOn(ENDPOINT)))
    try:
        assert "AWS_PROFILE" not in os.environ
        assert dict(Snapshot.take().environ) == dict(before)
        assert json.loads(os.environ[CHANGES_VARIABLE])["AWS_PROFILE"] == [None, "mine"]
    finally:
        undo_in_process(changes)
    assert dict(os.environ) == dict(before)


def test_change_made_since_is_not_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    before = Snapshot.take().environ
    changes = change_process(
        change_environment(before, HandedOn(ENDPOINT, "eu-west-1"))
    )
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    undo_in_process(changes)
    assert os.environ["AWS_REGION"] == "eu-north-1"
    assert CHANGES_VARIABLE not in os.environ


def test_no_proxy_of_every_host_stays_and_no_engine_has_a_proxy() -> None:
    """Engines take `*` for names only, and would send the token to a proxy."""
    proxies = dict.fromkeys(
        ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), "http://proxy:1"
    )
    environ = {**proxies, "HTTPS_PROXY": "x", "NO_PROXY": "a.example", "no_proxy": "*"}
    after = change_environment(environ, HandedOn(ENDPOINT))
    assert (after["NO_PROXY"], after["no_proxy"]) == ("*", "*")
    assert proxies.keys() & after.keys() == set()
    assert after["HTTPS_PROXY"] == "x"
    assert restore(after, after.pop(CHANGES_VARIABLE)) == environ


def test_proxy_stays_where_it_has_exceptions() -> None:
    after = change_environment(
        {"HTTP_PROXY": "http://proxy:1", "NO_PROXY": "a.example"}, HandedOn(ENDPOINT)
    )
    assert after["HTTP_PROXY"] == "http://proxy:1"
