from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.connection.settings import AssumeRoleWithWebIdentity
from botocore_conn_provider.errors import (
    ConnProviderError,
    InvalidConnectionError,
    WebIdentityTokenError,
)
from botocore_conn_provider.federation.plugin_lookup import TOKEN_SOURCES
from botocore_conn_provider.federation.web_identity import WebIdentityTokenFetcher
from botocore_conn_provider.secret import Secret
from tests.federation.web_identity.conftest import show

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from botocore_conn_provider.plugins import TokenRequest

SENTINEL = "sentinel-token-0123456789"


class Told:
    """A plug-in that gives what its name in the entry point says."""

    outcomes: dict[str, Callable[[TokenRequest], Secret]] = {}  # noqa: RUF012

    def __init__(self, request: TokenRequest) -> None:
        self._request = request

    def check(self) -> None:
        """Nothing is wrong with this one."""

    def fetch(self) -> Secret:
        return self.outcomes[self._request.audience or ""](self._request)


def fail(error: Exception) -> Secret:
    raise error


def refuse(request: TokenRequest) -> Secret:
    return fail(WebIdentityTokenError(conn_id=request.conn_id, cause="closed today."))


Told.outcomes = {
    "good": lambda request: Secret(f"token-for-{request.role_arn}"),
    "not_secret": lambda _: SENTINEL,  # type: ignore[dict-item, return-value]
    "empty": lambda _: Secret(""),
    "broken": lambda _: fail(KeyError(SENTINEL)),
    "refusing": refuse,
}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a distribution with the entry point `told`, as pip would."""
    info = tmp_path / "told-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: told\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[{TOKEN_SOURCES}]\ntold = {__name__}:Told\ngoogle = {__name__}:Told\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))


def build_fetcher(
    name: str, *, outcome: str | None = None, allow_plugins: bool = True
) -> WebIdentityTokenFetcher:
    role = AssumeRoleWithWebIdentity("arn:role", name, audience=outcome)
    return WebIdentityTokenFetcher(
        role,
        conn_id="aws_test",
        deadline_seconds=10,
        allow_plugins=allow_plugins,
        environ={"NO_GCE_CHECK": "true", "HOME": "/nowhere"},
    )


@pytest.mark.usefixtures("installed")
def test_plug_in_gives_the_token() -> None:
    fetcher = build_fetcher("told", outcome="good")
    fetcher.check()
    assert fetcher.fetch_token().token.reveal() == "token-for-arn:role"


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("not_secret", "gave a str, not a Secret"),
        ("empty", "gave a token that is empty"),
        ("broken", "failed with KeyError"),
        ("refusing", "closed today"),
    ],
)
def test_failing_plug_in_is_our_error_and_shows_no_token(
    outcome: str, words: str
) -> None:
    with pytest.raises(WebIdentityTokenError, match=words) as caught:
        build_fetcher("told", outcome=outcome).fetch_token()
    assert SENTINEL not in show(caught.value)


@pytest.mark.usefixtures("installed")
def test_built_in_source_is_not_replaced_by_a_plug_in() -> None:
    with pytest.raises(ConnProviderError, match="NO_GCE_CHECK"):
        build_fetcher("google", outcome="good").check()


@pytest.mark.usefixtures("installed")
def test_plug_ins_can_be_forbidden() -> None:
    fetcher = build_fetcher("told", outcome="good", allow_plugins=False)
    with pytest.raises(InvalidConnectionError, match="Use one of file, google"):
        fetcher.fetch_token()


def test_unknown_source_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidConnectionError) as caught:
        build_fetcher("gogle").check()
    assert "'assume_role_with_web_identity_federation' is 'gogle'" in str(caught.value)
