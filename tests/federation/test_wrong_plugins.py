"""A plug-in that is wrong gives our error, with its name and none of its text."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

import pytest

from botocore_conn_provider.connection.settings import AssumeRoleWithWebIdentity
from botocore_conn_provider.errors import (
    ConnProviderError,
    IdpRequestError,
    InvalidConnectionError,
    WebIdentityTokenError,
)
from botocore_conn_provider.federation.deadline import DeadlineExceededError
from botocore_conn_provider.federation.plugin_lookup import SIGN_INS, TOKEN_SOURCES
from botocore_conn_provider.federation.web_identity import WebIdentityTokenFetcher
from botocore_conn_provider.plugins import Page, Secret, SignInRequest, TokenRequest
from tests.federation.saml.asking import build_fetcher
from tests.plugins import install_entry_points

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.leaks import Leaks, Secrets

MODULE = "wrong_plugin"
FIELDS = {
    "token source": "assume_role_with_web_identity_federation",
    "sign-in method": "assume_role_with_saml.idp_auth_method",
}
FAILURES: dict[str, type[ConnProviderError]] = {
    "token source": WebIdentityTokenError,
    "sign-in method": IdpRequestError,
}


class Plugin:
    """Right in shape; each test makes one thing wrong."""

    def __init__(self, request: Any) -> None:
        self.request = request

    def check(self) -> None:
        """Nothing is wrong."""

    def fetch(self, *_: Any) -> Any:
        return Secret("token")


@pytest.fixture(params=["token source", "sign-in method"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def secret(secrets: Secrets) -> str:
    return secrets.new("the plug-in's secret")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Install what is given as the plug-in `wrong` of both kinds."""

    def install_as_wrong(factory: Any) -> None:
        module = types.ModuleType(MODULE)
        vars(module)["Plugin"] = factory
        monkeypatch.setitem(sys.modules, MODULE, module)
        point = {"other": "no.such:Plugin", "wrong": f"{MODULE}:Plugin"}
        points = {TOKEN_SOURCES: point, SIGN_INS: point}
        install_entry_points(tmp_path, monkeypatch, points)

    return install_as_wrong


def fetch(kind: str) -> object:
    """Ask the plug-in `wrong` for what its kind gives."""
    if kind == "sign-in method":
        options = {"method": "wrong"}
        return build_fetcher("https://idp.test/", sign_in=options).fetch_proof()
    role = AssumeRoleWithWebIdentity("arn:role", "wrong")
    return WebIdentityTokenFetcher(
        role, conn_id="corp", deadline_seconds=10, allow_plugins=True, environ={}
    ).fetch_token()


def fail_to_fetch(kind: str, leaks: Leaks) -> ConnProviderError:
    """Return the error, which names connection, field and plug-in and leaks nothing."""
    with pytest.raises(ConnProviderError) as caught:
        fetch(kind)
    leaks.check_error(caught.value)
    assert caught.value.conn_id == "corp"
    assert "'wrong'" in str(caught.value)
    assert FIELDS[kind] in str(caught.value)
    return caught.value


def make(**members: Any) -> type:
    return type("Wrong", (Plugin,), members)


def raiser(error: BaseException) -> Callable[..., Any]:
    def raise_it(*_: Any) -> Any:
        raise error

    return raise_it


@pytest.mark.parametrize("error", [KeyError, RuntimeError, OSError, SystemExit])
@pytest.mark.parametrize(
    ("member", "words"),
    [("__init__", "cannot be set up"), ("check", "failed when it was asked to check")],
)
def test_exception_before_the_fetch_is_told_by_its_type(
    member: str,
    words: str,
    error: type[BaseException],
    kind: str,
    secret: str,
    install: Callable[[Any], None],
    leaks: Leaks,
) -> None:
    install(make(**{member: raiser(error(secret))}))
    raised = fail_to_fetch(kind, leaks)
    assert type(raised) is InvalidConnectionError
    assert f"{words} ({error.__name__})" in str(raised)


@pytest.mark.parametrize("error", [KeyError, ConnectionError, SystemExit])
def test_exception_of_the_fetch_is_told_by_its_type(
    error: type[BaseException],
    kind: str,
    secret: str,
    install: Callable[[Any], None],
    leaks: Leaks,
) -> None:
    install(make(fetch=raiser(error(secret))))
    raised = fail_to_fetch(kind, leaks)
    assert type(raised) is FAILURES[kind]
    assert f"failed with {error.__name__}. Report it to" in str(raised)


@pytest.mark.parametrize("missing", ["check", "fetch"])
def test_missing_method_is_named(
    missing: str, kind: str, install: Callable[[Any], None], leaks: Leaks
) -> None:
    install(make(**{missing: None}))
    raised = fail_to_fetch(kind, leaks)
    assert type(raised) is InvalidConnectionError
    assert f"has no method {missing}" in str(raised)


@pytest.mark.parametrize(
    "factory", [None, "text", Plugin(None)], ids=["None", "text", "an object"]
)
def test_what_is_no_class_is_refused(
    factory: Any, kind: str, install: Callable[[Any], None], leaks: Leaks
) -> None:
    install(factory)
    assert "cannot be set up (TypeError)" in str(fail_to_fetch(kind, leaks))


@pytest.mark.parametrize("error", [ImportError, RuntimeError, OSError, SystemExit])
def test_module_that_cannot_be_imported_is_refused(
    error: type[BaseException],
    kind: str,
    secret: str,
    install: Callable[[Any], None],
    leaks: Leaks,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(None)
    monkeypatch.delitem(sys.modules, MODULE)
    text = f"raise {error.__name__}({secret!r})\n"
    (tmp_path / f"{MODULE}.py").write_text(text)
    raised = fail_to_fetch(kind, leaks)
    assert f"cannot be imported ({error.__name__})" in str(raised)


@pytest.mark.parametrize("of_both", [None, 5, b"bytes", {"token": "x"}])
def test_wrong_type_is_named(
    of_both: object, kind: str, install: Callable[[Any], None], leaks: Leaks
) -> None:
    install(make(fetch=lambda *_: of_both))
    raised = fail_to_fetch(kind, leaks)
    assert type(raised) is FAILURES[kind]
    wanted = "Page" if kind == "sign-in method" else "Secret"
    assert f"gave a {type(of_both).__name__}, not a {wanted}" in str(raised)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (Page("https://a", "text/html", "text"), "body is a str, not bytes"),  # type: ignore[arg-type]
        (Page("https://a", None, b""), "content_type is a NoneType, not str"),  # type: ignore[arg-type]
        (Page(1, "", b""), "origin is a int, not str"),  # type: ignore[arg-type]
        (Page("https://[", "", b""), "origin is not an address"),
    ],
)
def test_wrong_part_of_a_page_is_named(
    page: Page, words: str, install: Callable[[Any], None], leaks: Leaks
) -> None:
    install(make(fetch=lambda *_: page))
    assert words in str(fail_to_fetch("sign-in method", leaks))


def test_address_of_a_plugins_page_is_shown_without_its_query(
    secret: str, install: Callable[[Any], None]
) -> None:
    page = Page(f"https://idp.test/?pin={secret}", "text/html", b"<p>Hello</p>")
    install(make(fetch=lambda *_: page))
    with pytest.raises(ConnProviderError, match=r"The answer of https://idp\.test has"):
        fetch("sign-in method")


@pytest.mark.parametrize("member", ["check", "fetch"])
def test_error_of_ours_passes_without_what_led_to_it(
    member: str, kind: str, secret: str, install: Callable[[Any], None], leaks: Leaks
) -> None:
    def refuse(self: Plugin, *_: Any) -> Any:
        try:
            raise KeyError(secret)  # noqa: TRY301
        except KeyError as error:
            raise FAILURES[kind](
                conn_id=self.request.conn_id, cause="Closed today."
            ) from error

    install(make(**{member: refuse}))
    with pytest.raises(FAILURES[kind], match=r"'corp': Closed today\.") as caught:
        fetch(kind)
    leaks.check_error(caught.value)


def test_deadline_that_passes_in_a_plugin_is_told_as_the_deadline(
    kind: str, install: Callable[[Any], None]
) -> None:
    install(make(fetch=raiser(DeadlineExceededError())))
    with pytest.raises(FAILURES[kind], match=r"took longer than|gave no token within"):
        fetch(kind)


def test_wrong_option_is_told_before_a_sign_in_that_cannot_work(
    install: Callable[[Any], None],
) -> None:
    refusal = IdpRequestError(conn_id="corp", cause="No password.")
    install(make(check=raiser(refusal)))
    options = {"method": "wrong", "request": {"timeout": -1}}
    with pytest.raises(InvalidConnectionError, match="timeout"):
        build_fetcher("https://idp.test/", sign_in=options).check()
    with pytest.raises(IdpRequestError, match="No password"):
        build_fetcher("https://idp.test/", sign_in={"method": "wrong"}).check()


def test_secret_of_anything_but_text_is_refused_where_it_is_made() -> None:
    with pytest.raises(TypeError, match="a Secret must be text, not bytes"):
        Secret(b"token")  # type: ignore[arg-type]


def test_requests_and_pages_show_neither_environment_nor_content(
    secret: str, leaks: Leaks
) -> None:
    environ = {"PASSWORD": secret}
    token = TokenRequest("corp", "arn:role", None, None, 30.0, environ)
    sign_in = SignInRequest(
        conn_id="corp",
        role_arn="arn:role",
        idp_url=f"https://idp.test/?key={secret}",
        options={"pin": secret},
        mutual_authentication="DISABLED",
        deadline_seconds=30.0,
        environ=environ,
    )
    page = Page("https://idp.test", "text/html", secret.encode())
    shown = f"{token!r} {sign_in!r} {page!r} {token} {sign_in} {page}"
    leaks.check_text(shown)
    assert shown.startswith("TokenRequest('corp', 'arn:role') SignInRequest('corp',")
