from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from botocore_conn_provider.errors import IdpRequestError, InvalidConnectionError
from tests.federation.saml.asking import build_fetcher, build_page
from tests.plugins import install_example

if TYPE_CHECKING:
    from tests.federation.saml.parts import StartIdp

EXAMPLE = Path(__file__).parents[3] / "examples" / "sign_in_plugin"


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the example installed, as its project file says."""
    install_example(EXAMPLE, tmp_path, monkeypatch)
    monkeypatch.setenv("CORP_USER", "jo")
    monkeypatch.setenv("CORP_PASSWORD", "sentinel")


@pytest.mark.kerberos
@pytest.mark.usefixtures("plugin", "named_hosts")
def test_plugin_is_found_by_name_and_signs_in(start_idp: StartIdp, signed: str) -> None:
    with start_idp({"body": build_page(signed)}) as idp:
        proof = build_fetcher(idp.url(), sign_in={"method": "corp-form"}).fetch_proof()

    assert proof.assertion.reveal() == signed
    sent = [(seen.method, parse_qs(seen.body.decode())) for seen in idp.seen]
    assert sent == [("POST", {"user": ["jo"], "pass": ["sentinel"]})]


@pytest.mark.usefixtures("plugin", "named_hosts")
def test_401_to_a_plugin_is_explained(start_idp: StartIdp) -> None:
    with start_idp({"status": 401, "headers": {"WWW-Authenticate": "Basic"}}) as idp:
        fetcher = build_fetcher(idp.url(), sign_in={"method": "corp-form"})
        with pytest.raises(
            IdpRequestError, match="answered 401 and offers Basic"
        ) as seen:
            fetcher.fetch_proof()
    assert seen.value.answered


@pytest.mark.usefixtures("plugin", "named_hosts")
def test_idp_that_is_not_there_has_not_answered(start_idp: StartIdp) -> None:
    with start_idp({"status": 401}) as idp:
        url = idp.url()
    with pytest.raises(IdpRequestError) as seen:
        build_fetcher(url, sign_in={"method": "corp-form"}).fetch_proof()
    assert not seen.value.answered


@pytest.mark.usefixtures("plugin")
def test_password_that_is_not_there_is_told_before_the_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CORP_PASSWORD")
    fetcher = build_fetcher("https://idp.corp.test/", sign_in={"method": "corp-form"})
    with pytest.raises(IdpRequestError, match="CORP_PASSWORD is not set"):
        fetcher.check()


@pytest.mark.usefixtures("plugin")
def test_problems_of_a_plugin_and_of_the_request_are_one_error() -> None:
    settings = {
        "method": "corp-form",
        "auth": {"colour": "red"},
        "request": {"timeout": -1},
    }
    fetcher = build_fetcher("https://idp.corp.test/", sign_in=settings)
    with pytest.raises(InvalidConnectionError) as caught:
        fetcher.check()
    assert [problem.field.rpartition(".")[2] for problem in caught.value.problems] == [
        "timeout",
        "idp_auth_kwargs",
    ]
