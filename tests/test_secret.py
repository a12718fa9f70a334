"""What is secret shows nowhere, and what crosses a process is a name."""

from __future__ import annotations

import copy
import pickle

import pytest

from botocore_conn_provider.redaction import show_key_id
from botocore_conn_provider.secret import Options, Secret


def test_secret_shows_as_stars() -> None:
    secret = Secret("sesame")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>40}", "%s" % secret]  # noqa: UP031 - each way
    assert shown == ["***"] * 5
    assert "sesame" not in repr([{secret: secret}])
    assert secret.reveal() == "sesame"


def test_secrets_are_equal_by_their_text() -> None:
    assert Secret("é") == Secret("é")
    assert Secret("a") != Secret("b")
    assert Secret("\ud800") != Secret("a")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


def test_empty_secret_is_false() -> None:
    assert not Secret("")
    assert Secret("a")


def test_secret_is_copied_and_not_pickled() -> None:
    secret = Secret("a")
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret]) == [secret]
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(secret)


def test_short_key_id_is_hidden() -> None:
    assert show_key_id("AKIAIOSFODNN7EXAMPLE") == "…MPLE"
    assert show_key_id("AKIAIOSFODNN") == "***"


def test_options_are_a_mapping_that_shows_neither_names_nor_values() -> None:
    options = Options({"name": "sesame", "other": 1})
    assert dict(**options) == {"name": "sesame", "other": 1}
    assert repr(options) == "Options(2)"
    assert len(Options()) == 0


def test_options_do_not_follow_the_mapping_they_came_from() -> None:
    source = {"a": 1}
    options = Options(source)
    source["a"] = 2
    assert options["a"] == 1


def test_options_are_copied_and_not_pickled() -> None:
    options = Options({"a": [1]})
    deep = copy.deepcopy(options)
    deep["a"].append(2)
    assert options == {"a": [1]}
    assert copy.copy(options) == options
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(options)
