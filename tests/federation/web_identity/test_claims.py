from __future__ import annotations

import base64
import datetime
import json
from typing import Any

import pytest

from botocore_conn_provider.federation.web_identity import (
    Claims,
    build_trust_policy,
    decode_claims,
    describe_claims,
    list_condition_keys,
)
from botocore_conn_provider.secret import Secret

ROLE_ARN = "arn:aws:iam::123456789012:role/reader"


def write_token(said: Any) -> Secret:
    middle = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=")
    return Secret(f"e30.{middle.decode()}.c2ln")


def test_all_claims_are_decoded() -> None:
    said = {
        "iss": "https://accounts.google.com",
        "aud": ["a", 7, "b"],
        "azp": "p",
        "sub": "s",
        "email": "e@example.org",
        "iat": 0,
        "exp": 3600.5,
    }
    utc = datetime.timezone.utc
    assert decode_claims(write_token(said)) == Claims(
        issuer="https://accounts.google.com",
        audience=("a", "b"),
        authorized_party="p",
        subject="s",
        email="e@example.org",
        issued_at=datetime.datetime(1970, 1, 1, tzinfo=utc),
        expires_at=datetime.datetime(1970, 1, 1, 1, 0, 0, 500000, tzinfo=utc),
    )


@pytest.mark.parametrize(
    "text",
    [
        "opaque",
        "a.b",
        "a.!.c",
        "a.QQ.c",
        "a.é.c",
        "a.eyJ4.c",
        "a.b.c.d",
        write_token([1]).reveal(),
    ],
)
def test_opaque_token_has_no_claims(text: str) -> None:
    assert decode_claims(Secret(text)) is None


@pytest.mark.parametrize("moment", ["soon", True, 1e300, float("nan"), None])
def test_odd_times_are_left_out(moment: Any) -> None:
    assert decode_claims(write_token({"exp": moment})) == Claims()


def test_odd_texts_are_left_out() -> None:
    assert decode_claims(write_token({"iss": 1, "aud": {}, "sub": ""})) == Claims()


@pytest.mark.parametrize(
    ("claims", "keys"),
    [
        (
            Claims("https://accounts.google.com", ("a",), "p", "s"),
            {
                "accounts.google.com:aud": "p",
                "accounts.google.com:oaud": "a",
                "accounts.google.com:sub": "s",
            },
        ),
        (
            Claims("accounts.google.com", ("a",), None, "s"),
            {
                "accounts.google.com:aud": "a",
                "accounts.google.com:oaud": "a",
                "accounts.google.com:sub": "s",
            },
        ),
        (
            Claims("https://issuer.example.org/path", ("a", "b"), None, "s"),
            {
                "issuer.example.org/path:aud": "a",
                "issuer.example.org/path:sub": "s",
            },
        ),
        (Claims("https://issuer.example.org"), {}),
        (Claims(None, ("a",)), {}),
    ],
)
def test_condition_keys_are_those_that_aws_compares(
    claims: Claims, keys: dict[str, str]
) -> None:
    assert list_condition_keys(claims) == keys


@pytest.mark.parametrize(
    ("issuer", "role_arn", "federated"),
    [
        ("https://accounts.google.com", ROLE_ARN, "accounts.google.com"),
        (
            "https://i.example.org",
            ROLE_ARN.replace(":aws:", ":aws-cn:"),
            "arn:aws-cn:iam::123456789012:oidc-provider/i.example.org",
        ),
    ],
)
def test_trust_policy_names_the_provider(
    issuer: str, role_arn: str, federated: str
) -> None:
    policy = build_trust_policy(Claims(issuer, ("a",), None, "s"), role_arn)
    assert policy["Statement"][0]["Principal"] == {"Federated": federated}


def test_token_that_says_nothing_is_described_as_that() -> None:
    assert describe_claims(Claims()) == "nothing of itself"
    assert "no issuer" in str(build_trust_policy(Claims(), ROLE_ARN))
