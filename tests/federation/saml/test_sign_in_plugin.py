from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from botocore_conn_provider.errors import IdpRequestError
from tests.federation.saml.asking import build_fetcher, build_page

if TYPE_CHECKING:
    from tests.federation.saml.parts import StartIdp

EXAMPLE = Path(__file__).parents[3] / "examples" / "sign_in_plugin"


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the example installed, as a package with an entry point would be."""
    metadata = tmp_path / "corp-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: corp\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(
        "[botocore_conn_provider.sign_ins]\ncorp-form = form_sign_in:FormSignIn\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(EXAMPLE)
    monkeypatch.setenv("CORP_USER", "jo")
    monkeypatch.setenv("CORP_PASSWORD", "sentinel")


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
        with pytest.raises(IdpRequestError, match="answered 401 and offers Basic"):
            fetcher.fetch_proof()
