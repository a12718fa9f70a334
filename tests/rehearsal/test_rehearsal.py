"""What a rehearsal changes in a process, and what it leaves as it is."""

from __future__ import annotations

import atexit
import datetime
import json
from typing import TYPE_CHECKING, Any

import boto3
import botocore
import pytest
from botocore.awsrequest import AWSPreparedRequest

from botocore_conn_provider.connection.environment import (
    REHEARSE_PLACE_VARIABLE,
    REHEARSE_VARIABLE,
)
from botocore_conn_provider.exchange.flow import TemporaryCredentials
from botocore_conn_provider.rehearsal import rehearsal
from botocore_conn_provider.rehearsal import sets as sets_module
from botocore_conn_provider.rehearsal.findings import find
from botocore_conn_provider.rehearsal.notes import Notes
from botocore_conn_provider.rehearsal.requests import Judge
from botocore_conn_provider.rehearsal.sets import Sets
from botocore_conn_provider.renewal.identity import Asker
from botocore_conn_provider.renewal.registry import keepers
from botocore_conn_provider.renewal.source import Source
from botocore_conn_provider.secret import KeyId, Secret
from botocore_conn_provider.sessions.credentials import KeptCredentials
from tests.connections import make_role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Secrets

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A rehearsal in this process, whose notes are here."""
    directory = tmp_path / f"{rehearsal.PREFIX}notes"
    directory.mkdir(mode=0o700)
    monkeypatch.setenv(REHEARSE_VARIABLE, "3")
    monkeypatch.setenv(REHEARSE_PLACE_VARIABLE, str(directory))
    keepers.forget()
    yield directory
    rehearsal.stop()
    keepers.forget()


def issue(
    key_id: str = "ASIAIOSFODNN7EXAMPLE",
    *,
    token: str = "token",  # noqa: S107 - no real one
) -> TemporaryCredentials:
    return TemporaryCredentials(
        KeyId(key_id), Secret("secret"), Secret(token), NOW + HOUR, server_time=NOW
    )


def test_stopping_restores_what_was_changed(place: Path) -> None:
    initializers: list[Any] = vars(botocore)["_INITIALIZERS"]
    before = dict(vars(KeptCredentials)), list(initializers)
    rehearsal.start()
    assert dict(vars(KeptCredentials)) != before[0]
    rehearsal.stop()
    assert (dict(vars(KeptCredentials)), list(initializers)) == before
    assert (Source.shorten, Asker.passes_store_over) == (None, False)
    assert list(place.iterdir()) == []


def test_credentials_end_after_the_time_that_was_asked(tmp_path: Path) -> None:
    shortened = Sets(30.0, Notes(tmp_path)).shorten(issue(), "aws_default")
    assert shortened.expires_at == NOW + datetime.timedelta(seconds=30)


def test_credentials_that_end_earlier_are_left(tmp_path: Path) -> None:
    assert Sets(7200.0, Notes(tmp_path)).shorten(issue(), "c") == issue()


def test_keys_without_a_token_are_left_and_are_never_dead(tmp_path: Path) -> None:
    sets = Sets(30.0, Notes(tmp_path))
    assert sets.shorten(issue(token=""), "c") == issue(token="")
    known = sets.find("ASIAIOSFODNN7EXAMPLE")
    assert known is not None
    assert not sets.is_dead(known)


@pytest.mark.parametrize(
    ("lives", "last_alive", "dead"),
    [(60.0, 61.9, 62.0), (10.0, 11.9, 12.0), (2.0, 2.9, 3.0)],
)
def test_set_is_dead_two_seconds_after_its_end_or_half_of_its_life(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lives: float,
    last_alive: float,
    dead: float,
) -> None:
    now = [0.0]
    monkeypatch.setattr(sets_module, "find_steady_clock", lambda: lambda: now[0])
    sets = Sets(lives, Notes(tmp_path))
    sets.shorten(issue(), "c")
    known = sets.find("ASIAIOSFODNN7EXAMPLE")
    assert known is not None
    now[0] = last_alive
    assert not sets.is_dead(known)
    now[0] = dead
    assert sets.is_dead(known)


def test_set_that_its_source_gives_again_is_never_dead(tmp_path: Path) -> None:
    sets = Sets(0.0, Notes(tmp_path))
    assert sets.shorten(issue(), "c").expires_at == NOW
    known = sets.find("ASIAIOSFODNN7EXAMPLE")
    assert known is not None
    assert sets.is_dead(known)
    assert sets.shorten(issue(), "c") == issue()
    known = sets.find("ASIAIOSFODNN7EXAMPLE")
    assert known is not None
    assert not sets.is_dead(known)
    assert not find(tmp_path).has_rehearsed


def test_set_that_ends_after_the_job_has_rehearsed_nothing(tmp_path: Path) -> None:
    Sets(30.0, Notes(tmp_path)).shorten(issue(), "c")
    (issued,) = find(tmp_path).sets
    assert issued.ends is not None
    assert not find(tmp_path, issued.ends - 1).has_rehearsed
    assert find(tmp_path, issued.ends + 1).has_rehearsed


def test_other_process_of_the_job_knows_the_set_and_no_other_job(
    tmp_path: Path,
) -> None:
    (tmp_path / "job").mkdir()
    (tmp_path / "other").mkdir()
    Sets(30.0, Notes(tmp_path / "job")).shorten(issue(), "c")
    key_id = "ASIAIOSFODNN7EXAMPLE"
    assert Sets(30.0, Notes(tmp_path / "job")).find(key_id) is not None
    assert Sets(30.0, Notes(tmp_path / "other")).find(key_id) is None


def test_who_asks_is_found_out_again_at_each_exchange(
    place: Path, aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    import botocore_conn_provider

    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(make_role(aws, secrets)))
    asked: list[str] = []
    identify = Asker._identify

    def note(self: Asker) -> str:
        asked.append("asked")
        return identify(self)

    monkeypatch.setattr(Asker, "_identify", note)
    rehearsal.start()
    session = botocore_conn_provider.session("aws_default")
    found = session.get_credentials()
    assert found is not None
    found.get_frozen_credentials()
    assert len(asked) == 2  # where the keeper is found, and where it asks
    assert find(place).sets


def test_directory_that_others_can_read_gets_no_notes(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.chmod(0o755)
    monkeypatch.setattr(atexit, "register", lambda *_: None)
    running = rehearsal.start()
    assert running is not None
    assert running.notes.directory != place
    running.notes.directory.rmdir()


def test_default_session_is_watched_before_others_that_answer(place: Path) -> None:
    session = boto3.Session()._session
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boto3, "DEFAULT_SESSION", boto3.Session(botocore_session=session))
        rehearsal.start()
    events = session.get_component("event_emitter")
    answers = events.emit("before-send.s3.ListBuckets", request=FakeRequest())
    assert answers[0][0].__module__ == "botocore_conn_provider.rehearsal.requests"
    assert list(place.iterdir()) == []


class FakeRequest:
    headers: dict[str, str] = {}  # noqa: RUF012 - it is never changed
    url = "https://s3.amazonaws.com/"


QUERY = (
    "https://s3.amazonaws.com/b/k?X-Amz-Algorithm=A&X-Amz-Credential={}&X-Amz-Date=D"
)


@pytest.mark.parametrize(
    ("header", "url"),
    [
        ("AWS4-HMAC-SHA256 Credential=KEY/20260101/eu-west-1/s3/aws4_request, X=Y", ""),
        ("AWS4-ECDSA-P256-SHA256 Credential=KEY/20260101/s3/aws4_request, X=Y", ""),
        (b"AWS4-HMAC-SHA256 Credential=KEY/20260101/eu-west-1/s3/aws4_request", ""),
        ("AWS KEY:signature", ""),
        ("", QUERY.format("KEY%2F20260101%2Feu-west-1%2Fs3%2Faws4_request")),
        ("", QUERY.format("KEY/20260101/eu-west-1/s3/aws4_request")),
        ("", "https://b.s3.amazonaws.com/k?AWSAccessKeyId=KEY&Signature=x&Expires=1"),
        ("", "https://b.s3.amazonaws.com/k?Expires=1&AWSAccessKeyId=KEY"),
    ],
)
def test_dead_key_is_seen_in_each_kind_of_signature(
    tmp_path: Path, header: str | bytes, url: str
) -> None:
    key_id = "ASIAIOSFODNN7EXAMPLE"
    notes = Notes(tmp_path)
    sets = Sets(0.0, notes)
    sets.shorten(issue(), "c")
    signed = (
        header.replace(b"KEY", key_id.encode())
        if isinstance(header, bytes)
        else (header.replace("KEY", key_id))
    )
    headers: Any = {"Authorization": signed} if header else {}
    request = AWSPreparedRequest("GET", url.replace("KEY", key_id), headers, b"", False)
    session = boto3.Session()._session
    Judge(sets, notes).watch(session)
    events = session.get_component("event_emitter")
    answered = events.emit("before-send.s3.GetObject", request=request)[0][1]
    assert b"ExpiredToken" in answered.content
    (use,) = find(tmp_path).dead_uses
    assert use.call == "s3 GetObject"
