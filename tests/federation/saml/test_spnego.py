from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.errors import IdpRequestError
from tests.federation.saml.asking import build_fetcher, build_page
from tests.federation.saml.signing import PROVIDER

if TYPE_CHECKING:
    from tests.federation.saml.parts import StartIdp

pytestmark = pytest.mark.kerberos


@pytest.mark.usefixtures("ticket")
def test_sign_in_takes_two_requests(start_idp: StartIdp, signed: str) -> None:
    with start_idp({"sign_in": True, "body": build_page(signed)}) as idp:
        proof = build_fetcher(idp.url()).fetch_proof()

    assert (proof.assertion.reveal(), proof.principal_arn) == (signed, PROVIDER)
    assert [request.token is not None for request in idp.seen] == [False, True]


@pytest.mark.usefixtures("ticket")
def test_opportunistic_sign_in_takes_one_request(
    start_idp: StartIdp, signed: str
) -> None:
    with start_idp({"sign_in": True, "body": build_page(signed)}) as idp:
        fetcher = build_fetcher(
            idp.url(), sign_in={"auth": {"opportunistic_auth": True}}
        )
        fetcher.fetch_proof()

    assert [request.token is not None for request in idp.seen] == [True]


MODES = ("REQUIRED", "OPTIONAL", "DISABLED")
PROOFS = {
    "good": (True, True, True),
    "forged": (False, False, True),
    "foreign": (False, False, True),
    "junk": (False, False, True),
    "bare": (False, True, True),
    "missing": (False, True, True),
}


@pytest.mark.usefixtures("ticket")
@pytest.mark.parametrize("place", [0, 1, 2], ids=MODES)
@pytest.mark.parametrize("proof", PROOFS)
def test_server_is_held_to_mutual_authentication(
    start_idp: StartIdp, signed: str, proof: str, place: int
) -> None:
    page = {"sign_in": True, "body": build_page(signed)}
    with start_idp({**page, "proof": "good"}, {**page, "proof": proof}) as idp:
        build_fetcher(idp.url()).fetch_proof()
        fetcher = build_fetcher(
            idp.url(), sign_in={"mutual_authentication": MODES[place]}
        )
        if PROOFS[proof][place]:
            assert fetcher.fetch_proof().assertion.reveal() == signed
            return
        with pytest.raises(IdpRequestError, match="of who it is") as caught:
            fetcher.fetch_proof()

    assert not caught.value.retryable
