from __future__ import annotations

import pytest

from botocore_conn_provider.connection.settings import AssumeRoleWithWebIdentity
from botocore_conn_provider.errors import LONGEST_MESSAGE, StsExchangeError
from botocore_conn_provider.federation.web_identity import (
    Claims,
    IdentityToken,
    explain_refusal,
)
from botocore_conn_provider.secret import Secret

ROLE = AssumeRoleWithWebIdentity("arn:aws:iam::123456789012:role/reader", "file")
CLAIMS = Claims("https://i.example.org", ("a",), None, "s")


@pytest.mark.parametrize(
    ("retryable", "claims"), [(True, CLAIMS), (False, None), (True, None)]
)
def test_error_that_is_not_about_the_claims_stays(
    *, retryable: bool, claims: Claims | None
) -> None:
    error = StsExchangeError(conn_id="a", cause="Throttling.", retryable=retryable)
    assert explain_refusal(error, IdentityToken(Secret("t"), claims), ROLE) is error


def test_claims_stand_beside_the_policy_that_matches() -> None:
    error = StsExchangeError(conn_id="a", cause="AccessDenied", hint="Check the role.")
    told = str(explain_refusal(error, IdentityToken(Secret("t"), CLAIMS), ROLE))
    assert told == (
        "Connection 'a': AccessDenied. The token says: iss=https://i.example.org aud=a"
        " sub=s. Check the role. A trust policy that matches it:"
        ' {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":'
        '{"Federated":"arn:aws:iam::123456789012:oidc-provider/i.example.org"},'
        '"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":'
        '{"i.example.org:aud":"a","i.example.org:sub":"s"}}}]}'
        " See docs/troubleshooting.md#sts-exchange"
    )


def test_claims_without_end_keep_the_message_short() -> None:
    claims = Claims("https://" + "i" * 3000, ("a" * 3000,), "p" * 3000, "s\n" * 3000)
    error = StsExchangeError(conn_id="a", cause="AccessDenied")
    told = str(explain_refusal(error, IdentityToken(Secret("t"), claims), ROLE))
    assert len(told) < LONGEST_MESSAGE
    assert "\n" not in told
