"""The record: found in the environment, written back without loss, never shown."""

from __future__ import annotations

import copy
import json
import pickle
import string
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

import botocore_conn_provider
from botocore_conn_provider.connection.environment import is_disabled, name_connection
from botocore_conn_provider.connection.record import Connection
from botocore_conn_provider.errors import (
    ConnectionNotFoundError,
    InvalidConnectionError,
)
from tests.thoroughness import examples

if TYPE_CHECKING:
    from tests.leaks import Leaks, Secrets

quick = settings(
    max_examples=examples(200),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
DEEP = json.loads("[" * 39 + "]" * 39)

texts = st.text(st.characters(codec="utf-8"), max_size=20)
filled = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
keys = st.text(string.ascii_letters + "/+=%@:?#[]&", min_size=1, max_size=40)
secret_keys = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp", "Cs")),
    min_size=1,
    max_size=40,
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(texts, each, max_size=3),
    max_leaves=8,
)  # fmt: skip
extras = st.fixed_dictionaries(
    {},
    optional={
        "profile_name": filled,
        "region_name": st.sampled_from(["eu-west-1", "us-gov-east-1"]),
        "service_config": st.dictionaries(
            texts, st.dictionaries(texts.map("x{}".format), values, max_size=2)
        ),
        "config_kwargs": st.dictionaries(
            texts.map("x{}".format), values.filter(lambda v: v is not None), max_size=2
        ),
        "9 unknown": values,
        "__extra__": filled,
    },
)
records = st.fixed_dictionaries(
    {},
    optional={
        "conn_type": st.sampled_from(["aws", "my_type", "s3"]),
        "host": filled,
        "schema": filled,
        "port": st.integers(0, 65535),
        "description": filled,
        "extra": extras,
    },
)
unheard = st.text("0123456789 &=+%#{}/@é", max_size=20)  # near no field of ours
pairs = st.none() | st.tuples(keys, keys | secret_keys)


def read(text: str) -> Connection:
    return Connection.parse(text)


@quick
@given(records, pairs)
@example({"extra": {"9 unknown": DEEP}}, None)
@example({"schema": "/a?b#c", "host": "https://h", "port": 0}, ("a", "%2F"))
def test_writing_and_reading_gives_the_same(
    record: dict[str, Any], pair: tuple[str, str] | None
) -> None:
    if pair:
        record = {**record, "login": pair[0], "password": pair[1]}
    if record.get("conn_type", "aws") != "aws" and not pair:
        # Of another type and without a field about AWS it would be refused.
        named = {"region_name": "eu-west-1", **record.get("extra", {})}
        record = {**record, "extra": named}
    connection = read(json.dumps(record))
    assert read(connection.to_json()) == connection
    bare = connection._replace(description=None)
    assert read(connection.to_uri()) == bare
    assert read(read(connection.to_uri()).to_json()) == bare
    assert read(read(connection.to_json()).to_uri()) == bare


@quick
@given(st.dictionaries(unheard, texts, max_size=5), pairs)
def test_a_uri_keeps_every_value_as_json(
    extra: dict[str, str], pair: tuple[str, str] | None
) -> None:
    user = ":".join(urlencode({"": each})[1:] for each in pair) + "@" if pair else ""
    connection = read(f"aws://{user}?{urlencode(extra)}")
    assert dict(connection.extra) == extra
    assert read(read(connection.to_json()).to_uri()) == connection


key_ids = st.text(string.ascii_letters + string.digits + "-_", min_size=3, max_size=24)
# Longer than any word of ours, which such a key could be a piece of.
aws_secret_keys = st.text(string.ascii_letters + string.digits + "+/", min_size=20)
LOST = [
    "aws://{id}",
    "aws://{id}/",
    "aws://{id}:{quoted}",
    "aws://{id}:{quoted}/?region_name=eu-west-1",
    "aws://{id}:{raw}/",
    "aws:///{id}:{quoted}",
    "aws:///{id}:{raw}/?region_name=eu-west-1",
    "aws://{id}%3A{quoted}/",
    "aws://:{quoted}/",
    "aws://[{id}]/",
]


@quick
@given(key_ids, aws_secret_keys, st.sampled_from(LOST))
def test_keys_that_lost_their_at_are_never_an_absent_identity(
    key_id: str, secret_key: str, form: str
) -> None:
    assume(key_id.lower() != "localhost")
    text = form.format(id=key_id, raw=secret_key, quoted=quote(secret_key, safe=""))
    with pytest.raises(InvalidConnectionError) as caught:
        read(text)
    assert secret_key not in str(caught.value)


def test_extra_as_deep_as_a_uri_may_hold_it_is_written_as_json() -> None:
    deepest = json.dumps({"unheard": json.loads("[" * 38 + "]" * 38)})
    connection = read(f"aws://?{urlencode({'__extra__': deepest})}")
    assert read(connection.to_json()) == connection


def test_deeper_extra_is_refused_in_both_forms() -> None:
    too_deep = json.dumps({"unheard": json.loads("[" * 45 + "]" * 45)})
    for text in (
        f"aws://?{urlencode({'__extra__': too_deep})}",
        json.dumps({"extra": too_deep}),
        f'{{"extra": {too_deep}}}',
    ):
        with pytest.raises(InvalidConnectionError, match="nested too deeply"):
            read(text)


def test_connection_is_found_by_its_upper_case_name() -> None:
    environ = {"AIRFLOW_CONN_AWS_PROD": "aws://?region_name=eu-west-1"}
    connection = Connection.from_env("aws_Prod", environ=environ)
    assert connection.conn_id == "aws_Prod"
    assert connection.settings.client.region_name == "eu-west-1"


def test_variable_names_another_default() -> None:
    environ = {"BOTOCORE_CONN_ID": " other ", "AIRFLOW_CONN_OTHER": "aws://"}
    assert Connection.from_env(environ=environ).conn_id == "other"


def test_live_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "{}")
    assert botocore_conn_provider.Connection.from_env().conn_id == "aws_default"


@pytest.mark.parametrize("environ", [{}, {"AIRFLOW_CONN_AWS_DEFAULT": " \n"}])
def test_unset_or_blank_variable_is_not_found(environ: dict[str, str]) -> None:
    with pytest.raises(ConnectionNotFoundError, match="AIRFLOW_CONN_AWS_DEFAULT"):
        Connection.from_env(environ=environ)


def test_error_names_connection_and_variable() -> None:
    environ = {"AIRFLOW_CONN_A": "aws://x@"}
    with pytest.raises(InvalidConnectionError) as caught:
        Connection.from_env("a", environ=environ)
    assert str(caught.value).startswith("Connection 'a' (AIRFLOW_CONN_A): 'password'")
    assert caught.value.variable == "AIRFLOW_CONN_A"


def test_who_named_the_connection_is_known() -> None:
    assert name_connection({}).named_by is None
    assert name_connection({"BOTOCORE_CONN_ID": "x"}).named_by == "BOTOCORE_CONN_ID"
    assert name_connection({"BOTOCORE_CONN_ID": "x"}, "y") == ("y", "the program")


@pytest.mark.parametrize(("word", "off"), [("", False), ("0", False), ("1", True)])
def test_kill_switch_is_anything_but_empty_or_0(word: str, *, off: bool) -> None:
    assert is_disabled({"BOTOCORE_CONN_DISABLE": word}) is off


def test_every_service_but_the_named_ones_has_the_endpoint() -> None:
    services = {"sts": {"endpoint_url": None}, "sqs": {"endpoint_url": "http://b"}}
    extra = {"endpoint_url": "http://a", "service_config": services}
    client = read(json.dumps({"extra": extra})).settings.client
    found = [client.find_endpoint(name) for name in ("s3", "sts", "sqs")]
    assert found == ["http://a", None, "http://b"]


def hide_everywhere(secrets: Secrets) -> dict[str, Any]:
    """Make a record that is right and has a secret in each place that may."""
    new = secrets.new
    return {
        "login": secrets.new_access_key_id(),
        "password": new("password"),
        "extra": {
            "aws_session_token": new("token"),
            "role_arn": "arn:aws:iam::123456789012:role/r",
            "assume_role_method": "assume_role_with_saml",
            "endpoint_url": f"https://me:{new('endpoint')}@s3.example/{new('path')}",
            "service_config": {
                "sts": {"endpoint_url": f"https://sts.example/?k={new('service')}"}
            },
            "config_kwargs": {
                "proxies": {"https": f"http://me:{new('proxy')}@proxy.example:1"}
            },
            "assume_role_with_saml": {
                "idp_url": f"https://me:{new('url')}@idp.example/?t={new('query')}",
                "idp_auth_method": "http_spegno_auth",
                "idp_request_kwargs": {
                    "headers": {"Authorization": new("header")},
                    "cookies": {"session": new("cookie")},
                    "params": {new("a name"): new("parameter")},
                    "proxies": {"https": f"http://me:{new('proxy')}@proxy.example:1"},
                },
            },
        },
    }


def test_nothing_shows_a_secret(secrets: Secrets, leaks: Leaks) -> None:
    connection = read(json.dumps(hide_everywhere(secrets)))
    for value in (connection, connection.settings, connection.extra):
        leaks.check_text(f"{value} {value!r} {value!s} {[value]}")
    leaks.check_text("\n".join(connection.settings.notices))


def test_repr_of_settings_says_where_they_lead(secrets: Secrets) -> None:
    shown = repr(read(json.dumps(hide_everywhere(secrets))).settings)
    assert "https://s3.example" in shown
    assert "https://idp.example" in shown
    assert "https://sts.example" not in shown


def test_broken_connection_shows_no_secret(secrets: Secrets, leaks: Leaks) -> None:
    record = hide_everywhere(secrets)
    record["extra"]["verify"] = record["extra"]["region_name"] = 0
    saml = record["extra"]["assume_role_with_saml"]
    saml["idp_url"] = saml["idp_url"].replace("https", "ldap")
    record["extra"]["endpoint_url"] += " "
    for name in ("role_arn", "assume_role_method"):
        for wrong in (secrets.new(name), [secrets.new(name)], {secrets.new(name): 1}):
            broken = {**record, "extra": {**record["extra"], name: wrong}}
            with pytest.raises(InvalidConnectionError) as caught:
                read(json.dumps(broken))
            leaks.check_error(caught.value)


# A secret whose raw characters cut it into these pieces.
PIECES = ("firstpiece", "middlepiece", "thirdpiece", "fourthpiece")


@pytest.mark.parametrize("cut", [*"/#?[]&@:=;+% ", "=&", "&=", "/@", "?@", "@/", "://"])
@pytest.mark.parametrize(
    "form",
    [
        "aws://AKIAEXAMPLE:{}@host/?region_name=_",
        "aws://{}:password@host/?region_name=_",
        "aws://{}@?region_name=_",
        "aws://?aws_access_key_id=AKIAEXAMPLE&aws_secret_access_key={}&region_name=_",
        "aws://?aws_access_key_id={}&region_name=_",
        "aws://?aws_session_token={}&region_name=_",
        '{{"login": "A", "password": "{}", "region_name": 1}}',
        '{{"login": "A", "password": "x", "extra": "{}"}}',
        "{}",
        "{}://x",
        "{{{}",
        "aws://?__extra__={}",
        'aws://?config_kwargs={{"proxies": {{"https": "http://me:{}@proxy"}}, "s3": 1}}',
    ],
)
def test_no_piece_of_a_cut_secret_is_shown(form: str, cut: str, leaks: Leaks) -> None:
    for secret in (cut.join(PIECES), cut.join(piece + "7/A" for piece in PIECES)):
        shown = leaks_of(form.format(secret))
        for piece in PIECES:
            found = [
                piece[at : at + 6]
                for at in range(len(piece) - 5)
                if piece[at : at + 6] in shown
            ]
            assert not found
    leaks.check_all()


def leaks_of(text: str) -> str:
    """Return all that anybody could see of reading `text`."""
    try:
        connection = read(text)
    except InvalidConnectionError as error:
        return f"{error} {error!r} {vars(error)} {error.__cause__}"
    return f"{connection} {connection.extra} {connection.settings}"


def test_connection_is_copied_and_not_pickled() -> None:
    connection = read("aws://AKIA:s@?config_kwargs={}")
    assert copy.copy(connection) == connection
    assert copy.deepcopy(connection) == connection
    for value in (connection, connection.settings):
        with pytest.raises(TypeError, match="send the connection's name"):
            pickle.dumps(value)
