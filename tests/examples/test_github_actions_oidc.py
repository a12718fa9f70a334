from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from botocore_conn_provider.connection.settings import AssumeRoleWithWebIdentity
from botocore_conn_provider.errors import WebIdentityTokenError
from botocore_conn_provider.federation.web_identity import WebIdentityTokenFetcher
from tests.plugins import install_example

EXAMPLE = Path(__file__).parents[2] / "examples" / "github_actions_oidc"
BEARER = "sentinel-right-to-ask-0123456789"


class GitHub(HTTPServer):
    """GitHub's token endpoint: bearer checked, audience from the query."""

    status = 200
    body: str | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Job)
        self.audiences: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}/token?api-version=2.0"


class Job(BaseHTTPRequestHandler):
    server: GitHub

    def do_GET(self) -> None:
        status = self.server.status
        if self.headers["Authorization"] != f"bearer {BEARER}":
            status = 401
        audience = parse_qs(urlsplit(self.path).query)["audience"][0]
        self.server.audiences.append(audience)
        answer = json.dumps({"count": 1, "value": f"token-for-{audience}"})
        self.send_response(status)
        self.end_headers()
        body = self.server.body
        self.wfile.write((answer if body is None else body).encode())

    def log_message(self, *_: Any) -> None:
        """Be quiet."""


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    install_example(EXAMPLE, tmp_path, monkeypatch)
    monkeypatch.setenv("no_proxy", "*")
    server = GitHub()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def build_fetcher(
    url: str, *, bearer: str = BEARER, audience: str | None = None
) -> WebIdentityTokenFetcher:
    return WebIdentityTokenFetcher(
        AssumeRoleWithWebIdentity("arn:role", "github_actions", audience=audience),
        conn_id="aws_test",
        deadline_seconds=10,
        allow_plugins=True,
        environ={
            "ACTIONS_ID_TOKEN_REQUEST_URL": url,
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": bearer,
        },
    )


@pytest.mark.parametrize(
    ("audience", "asked"), [(None, "sts.amazonaws.com"), ("a&b c", "a&b c")]
)
def test_token_is_for_the_audience(
    github: GitHub, audience: str | None, asked: str
) -> None:
    github.body = '{"value": "token"}'
    build_fetcher(github.url, audience=audience).fetch_token()
    assert github.audiences == [asked]


def test_job_without_the_permission_is_told_so(github: GitHub) -> None:
    fetcher = build_fetcher(github.url, bearer="")
    with pytest.raises(WebIdentityTokenError, match="id-token: write"):
        fetcher.check()
    assert github.audiences == []


@pytest.mark.parametrize(
    ("status", "body", "words", "retryable"),
    [
        (500, "", "answered 500", True),
        (403, "", "answered 403", False),
        (200, "<html>", "without a token", False),
        (200, "[]", "without a token", False),
    ],
)
def test_fault_is_one_clear_error(
    github: GitHub, status: int, body: str, words: str, *, retryable: bool
) -> None:
    github.status, github.body = status, body
    with pytest.raises(WebIdentityTokenError, match=words) as caught:
        build_fetcher(github.url).fetch_token()
    assert caught.value.retryable is retryable
    assert BEARER not in str(caught.value)


def test_github_out_of_reach_may_be_tried_again(github: GitHub) -> None:
    del github
    with pytest.raises(WebIdentityTokenError, match="could not be asked") as caught:
        build_fetcher("http://127.0.0.1:1/?a=b").fetch_token()
    assert caught.value.retryable


def test_project_file_names_the_entry_point() -> None:
    text = (EXAMPLE / "pyproject.toml").read_text()
    assert 'github_actions = "github_actions_oidc:GitHubActionsTokens"' in text
