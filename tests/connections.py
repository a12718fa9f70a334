"""Connections that many tests start from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.aws import Aws
    from tests.leaks import Secrets

ROLE = "arn:aws:iam::123456789012:role/reader"


def make_role(aws: Aws, secrets: Secrets, **extra: Any) -> dict[str, Any]:
    """Return a connection of new keys that assumes a role, at the STS of the tests."""
    return {
        "conn_type": "aws",
        "login": secrets.new_access_key_id(),
        "password": secrets.new("secret key of the connection"),
        "extra": {
            "role_arn": ROLE,
            "region_name": "eu-west-1",
            "service_config": {"sts": {"endpoint_url": aws.url}},
            **extra,
        },
    }
