"""Who a sign-in or a token is for, told by content: what differs is never shared."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from botocore_conn_provider.connection.environment import Snapshot
from botocore_conn_provider.connection.record import Connection
from botocore_conn_provider.errors import IdpRequestError
from botocore_conn_provider.exchange.flows import create_flow
from botocore_conn_provider.exchange.session_view import SessionView
from botocore_conn_provider.federation.plugin_lookup import TOKEN_SOURCES
from tests.federation.saml.asking import build_fetcher
from tests.plugins import install_entry_points

ROLE = "arn:aws:iam::123456789012:role/analyst"


def identify(source: str, token_file: str | None = None) -> dict[str, str]:
    """Return who asks, for a connection with a token from `source`, now."""
    extra: dict[str, Any] = {
        "role_arn": ROLE,
        "assume_role_method": "assume_role_with_web_identity",
        "assume_role_with_web_identity_federation": source,
        "assume_role_with_web_identity_federation_audience": "aws",
    }
    if token_file is not None:
        extra["assume_role_with_web_identity_token_file"] = token_file
    snapshot = Snapshot.take()
    text = json.dumps({"conn_type": "aws", "extra": extra})
    settings = Connection.parse(text, environ=snapshot.environ).settings
    return create_flow(settings, SessionView(snapshot)).identify()


def test_token_of_the_same_size_and_time_is_another_identity(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("alice-token")
    times = (token.stat().st_atime, token.stat().st_mtime)
    alice = identify("file", str(token))
    assert alice == identify("file", str(token))
    token.write_text("bobby-token")
    os.utime(token, times)
    assert identify("file", str(token)) != alice


def test_relative_path_is_that_of_its_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for tenant in ("alice", "bob"):
        (tmp_path / tenant).mkdir()
        (tmp_path / tenant / "token").write_text("the same")
        monkeypatch.chdir(tmp_path / tenant)
        found.append(identify("file", "token"))
    assert found[0] != found[1]


def test_token_file_that_is_not_there_yet_is_no_error(tmp_path: Path) -> None:
    assert identify("file", str(tmp_path / "later"))["token"] == ""


@pytest.mark.parametrize("place", ["named", "gcloud", "gcloud of a home"])
def test_googles_file_counts_by_content(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "application_default_credentials.json"
    if place == "named":
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    elif place == "gcloud":
        monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    else:
        monkeypatch.setenv("HOME", str(tmp_path))
        path = tmp_path / ".config" / "gcloud" / path.name
        path.parent.mkdir(parents=True)
    path.write_text('{"type": "service_account", "client_email": "a@x"}')
    alice = identify("google")
    assert alice == identify("google")
    path.write_text('{"type": "service_account", "client_email": "b@x"}')
    assert identify("google") != alice


def test_subject_token_of_an_external_account_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject, path = tmp_path / "subject", tmp_path / "credentials.json"
    subject.write_text("alice")
    source = {"credential_source": {"file": str(subject)}}
    path.write_text(json.dumps({"type": "external_account", **source}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    alice = identify("google")
    subject.write_text("bobby")
    assert identify("google") != alice


def test_metadata_server_is_told_by_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("GCE_METADATA_HOST", "one.example")
    one = identify("google")
    monkeypatch.setenv("GCE_METADATA_HOST", "two.example")
    assert identify("google") != one


PLUGIN = """
class Silent:
    def __init__(self, request): self.request = request
    def check(self): pass
    def fetch(self): raise AssertionError

class Telling(Silent):
    def identify(self): return {"user": self.request.environ.get("CORP_USER", "")}
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "whose_plugin.py").write_text(PLUGIN)
    points = {"silent": "whose_plugin:Silent", "telling": "whose_plugin:Telling"}
    install_entry_points(tmp_path, monkeypatch, {TOKEN_SOURCES: points})


@pytest.mark.usefixtures("plugins")
def test_plugin_that_says_nothing_depends_on_every_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = identify("silent")
    assert before == identify("silent")
    monkeypatch.setenv("ANYTHING", "else")
    assert identify("silent") != before


@pytest.mark.usefixtures("plugins")
def test_plugin_says_what_it_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    before = identify("telling")
    monkeypatch.setenv("ANYTHING", "else")
    assert identify("telling") == before
    monkeypatch.setenv("CORP_USER", "bob")
    assert identify("telling") != before


@pytest.mark.kerberos
@pytest.mark.usefixtures("ticket")
@pytest.mark.parametrize("name", ["KRB5_CONFIG", "KRB5CCNAME"])
def test_kerberos_variable_that_changed_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KRB5_CLIENT_KTNAME", raising=False)
    fetcher = build_fetcher("https://idp.invalid/sso")
    told = fetcher.identify()
    assert told["principal"] == "user@CORP.TEST"
    before = os.environ[name]
    monkeypatch.delenv("KRB5CCNAME")
    unnamed = build_fetcher("https://idp.invalid/sso")
    monkeypatch.setenv(name, before if name == "KRB5CCNAME" else "/elsewhere")
    with pytest.raises(IdpRequestError, match=f"{name} has changed"):
        unnamed.identify()


@pytest.mark.kerberos
@pytest.mark.usefixtures("ticket")
def test_ticket_cache_that_is_named_stays_the_sessions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("KRB5_CLIENT_KTNAME", raising=False)
    fetcher = build_fetcher("https://idp.invalid/sso")
    monkeypatch.setenv("KRB5CCNAME", "FILE:/nowhere/else")
    assert fetcher.identify()["principal"] == "user@CORP.TEST"


@pytest.mark.kerberos
def test_relative_ticket_cache_is_that_of_its_directory(
    ticket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KRB5_CLIENT_KTNAME", raising=False)
    (tmp_path / "cache").write_bytes(Path(ticket.rpartition(":")[2]).read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KRB5CCNAME", "FILE:cache")
    environ = Snapshot.take().settle()
    monkeypatch.chdir("/")
    fetcher = build_fetcher("https://idp.invalid/sso", environ=environ)
    assert fetcher.identify()["principal"] == "user@CORP.TEST"
