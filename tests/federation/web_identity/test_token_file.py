from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.connection.settings import AssumeRoleWithWebIdentity
from botocore_conn_provider.errors import (
    InvalidConnectionError,
    WebIdentityTokenError,
)
from botocore_conn_provider.federation.web_identity import WebIdentityTokenFetcher

if TYPE_CHECKING:
    from pathlib import Path

ROLE_ARN = "arn:aws:iam::123456789012:role/reader"
FIELD = "assume_role_with_web_identity_token_file"


def build_fetcher(
    name: str | None, environ: dict[str, str] | None = None, seconds: float = 10
) -> WebIdentityTokenFetcher:
    role = AssumeRoleWithWebIdentity(ROLE_ARN, "file", token_file=name)
    return WebIdentityTokenFetcher(
        role,
        conn_id="aws_test",
        deadline_seconds=seconds,
        allow_plugins=False,
        environ=environ or {},
    )


def fetch_error(fetcher: WebIdentityTokenFetcher) -> WebIdentityTokenError:
    with pytest.raises(WebIdentityTokenError) as caught:
        fetcher.fetch_token()
    return caught.value


def test_file_is_read_anew_at_each_fetch(tmp_path: Path) -> None:
    path = tmp_path / "token"
    fetcher = build_fetcher(str(path))
    seen = []
    for text in ("first", "second"):
        path.write_text(text)
        seen.append(fetcher.fetch_token().token.reveal())
    assert seen == ["first", "second"]


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\n\n"])
def test_newline_at_the_end_is_dropped(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "token"
    path.write_bytes(b"opaque-token" + ending.encode())
    token = build_fetcher(str(path)).fetch_token()
    assert (token.token.reveal(), token.claims) == ("opaque-token", None)


def test_tilde_is_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "token").write_text("at-home")
    assert build_fetcher("~/token").fetch_token().token.reveal() == "at-home"


def test_variable_names_the_file_where_the_connection_names_none(
    tmp_path: Path,
) -> None:
    (tmp_path / "token").write_text("from-variable")
    environ = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token")}
    fetcher = build_fetcher(None, environ)
    fetcher.check()
    assert fetcher.fetch_token().token.reveal() == "from-variable"


def test_connection_wins_over_the_variable(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-connection")
    environ = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "nowhere")}
    fetcher = build_fetcher(str(tmp_path / "token"), environ)
    assert fetcher.fetch_token().token.reveal() == "from-connection"


def test_no_file_named_anywhere_is_refused_offline() -> None:
    fetcher = build_fetcher(None)
    for act in (fetcher.check, fetcher.fetch_token):
        with pytest.raises(InvalidConnectionError, match=f"'{FIELD}' is missing"):
            act()


def test_missing_file_is_an_error_only_when_it_is_needed(tmp_path: Path) -> None:
    fetcher = build_fetcher(str(tmp_path / "nowhere"))
    fetcher.check()
    error = fetch_error(fetcher)
    assert "does not exist" in str(error)
    assert FIELD in str(error)
    assert error.retryable


def test_folder_is_no_token(tmp_path: Path) -> None:
    error = fetch_error(build_fetcher(str(tmp_path)))
    assert "cannot be read (Is a directory)" in str(error)


def test_unreadable_file_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "token").write_text("secret")
    # Forced, because root may read everything.
    monkeypatch.setattr("pathlib.Path.open", refuse)
    error = fetch_error(build_fetcher(str(tmp_path / "token")))
    assert "may not be read by this user" in str(error)


@pytest.mark.parametrize(
    ("content", "flaw"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"a" * 20_001, "is longer than the 20000 characters"),
        (b"a" * 90_000, "is longer than the 20000 characters"),
        (b"two words", "contains whitespace"),
        (b"two\nlines", "contains whitespace"),
        (b"nul\0inside", "contains whitespace or control characters"),
        ("\ufeffbyte-order-mark".encode(), "contains whitespace or control characters"),
        (b"\xff\xfe", "does not hold text"),
    ],
)
def test_content_that_can_be_no_token_is_refused(
    tmp_path: Path, content: bytes, flaw: str
) -> None:
    (tmp_path / "token").write_bytes(content)
    error = fetch_error(build_fetcher(str(tmp_path / "token")))
    assert flaw in str(error)
    assert error.retryable is False


def test_longest_token_passes(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a" * 20_000 + "\r\n")
    token = build_fetcher(str(tmp_path / "token")).fetch_token().token
    assert len(token.reveal()) == 20_000


def test_nul_in_the_name_is_refused() -> None:
    assert "token file" in str(fetch_error(build_fetcher("a\0b")))


def test_file_that_never_answers_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    error = fetch_error(build_fetcher(str(path), seconds=0.1))
    assert "gave no token within 0.1 s" in str(error)
    assert error.retryable
    os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))  # lets the reader go
