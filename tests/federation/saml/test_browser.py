from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from botocore_conn_provider.errors import IdpRequestError
from tests.federation.saml.asking import DEADLINE_SECONDS, build_fetcher, build_page

if TYPE_CHECKING:
    from tests.federation.saml.parts import StartIdp

pytestmark = pytest.mark.kerberos

CASES = json.loads(
    (Path(__file__).parents[2] / "cases" / "saml" / "http.json").read_text("utf-8")
)


def fill(step: dict[str, Any], signed: str) -> dict[str, Any]:
    bodies: dict[str, str | bytes] = {
        "{page}": build_page(signed),
        "{large}": "x" * 600_000,
        "{half}": gzip.compress(build_page(signed).encode())[:500],
    }
    return {**step, "body": bodies.get(step.get("body", ""), step.get("body", ""))}


def build_options(case: dict[str, Any], ca_file: str) -> dict[str, Any]:
    options = dict(case.get("sign_in", {}))
    if "tls_name" in case:
        options["request"] = {"verify": ca_file, **options.get("request", {})}
    return options


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
@pytest.mark.usefixtures("ticket")
def test_exchange_ends_as_the_case_says(
    case: dict[str, Any], start_idp: StartIdp, signed: str, ca_file: str
) -> None:
    steps = [fill(step, signed) for step in case["steps"]]
    with start_idp(*steps, tls_name=case.get("tls_name")) as idp:
        scheme, port = case.get("scheme", idp.scheme), case.get("port", idp.port)
        fetcher = build_fetcher(
            f"{scheme}://{case.get('host', 'idp.corp.test')}:{port}/sso?id=sentinel",
            deadline_seconds=case.get("deadline", DEADLINE_SECONDS),
            sign_in=build_options(case, ca_file),
        )
        if "error" in case:
            with pytest.raises(IdpRequestError, match=case["error"]) as caught:
                fetcher.fetch_proof()
            assert caught.value.retryable == case.get("retryable", False)
            assert "sentinel" not in str(caught.value)
        else:
            assert fetcher.fetch_proof().assertion.reveal() == signed

    assert len(idp.seen) == case["requests"]
    tokens = [request.token for request in idp.seen if request.token]
    assert len(set(tokens)) == len(tokens)
    if "last_cookie" in case:
        assert idp.seen[-1].headers["Cookie"] == case["last_cookie"]


@pytest.mark.usefixtures("ticket")
def test_own_headers_and_cookies_stay_with_the_idp(
    start_idp: StartIdp, signed: str
) -> None:
    elsewhere = {"Location": "http://idp2.corp.test:{port}/next"}
    with start_idp(
        {"sign_in": True, "status": 302, "headers": elsewhere},
        {"sign_in": True, "body": build_page(signed)},
    ) as idp:
        fetcher = build_fetcher(
            idp.url(),
            sign_in={
                "request": {
                    "headers": {"X-Own": "mine"},
                    "cookies": {"own": "mine"},
                    "params": {"realm": "corp"},
                }
            },
        )
        fetcher.fetch_proof()

    own = [(seen.headers.get("X-Own"), seen.headers.get("Cookie")) for seen in idp.seen]
    assert own == [("mine", "own=mine")] * 2 + [(None, None)] * 2
    assert [s.path for s in idp.seen[1:3]] == [
        "/sso?client=sentinel&realm=corp",
        "/next",
    ]


@pytest.mark.usefixtures("ticket")
def test_password_of_netrc_is_not_sent(
    start_idp: StartIdp,
    signed: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine idp.corp.test login user password sentinel\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with start_idp({"body": build_page(signed)}) as idp:
        build_fetcher(idp.url()).fetch_proof()

    assert "Authorization" not in idp.seen[0].headers
