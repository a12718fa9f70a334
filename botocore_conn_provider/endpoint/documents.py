"""Write the bodies of the answers, in the form that AWS's clients read.

Source: AWS SDKs and Tools Reference Guide, "Container credential provider"; what each
SDK takes of it was measured.
"""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore_conn_provider.endpoint.request_rules import Denial
    from botocore_conn_provider.endpoint.supply import Handed


def write_credentials(handed: Handed) -> bytes:
    """Return the credentials as JSON, secrets included.

    `Expiration` is always there, because some clients fail without it. It is by the
    clock of this machine, which is the one that they compare it with.
    """
    now = datetime.datetime.now(datetime.timezone.utc)
    ends_at = now + datetime.timedelta(seconds=handed.seconds_left)
    keys = handed.keys
    document = {
        "AccessKeyId": str(keys.access_key_id),
        "SecretAccessKey": keys.secret_access_key.reveal(),
        "Token": keys.session_token.reveal() if keys.session_token else "",
        "Expiration": ends_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if keys.account_id is not None:
        document["AccountId"] = keys.account_id
    return json.dumps(document).encode()


def write_denial(denial: Denial) -> bytes:
    """Return the denial as JSON: some clients look for one spelling, some for another."""
    code, message = denial.code, denial.message
    told = {"code": code, "message": message, "Code": code, "Message": message}
    return json.dumps(told).encode()


def write_health(seconds_left: float | None) -> bytes:
    """Return whether the endpoint has valid credentials, and for how long yet."""
    left = None if seconds_left is None else max(0, int(seconds_left))
    fresh = left is not None and left > 0
    return json.dumps({"alive": True, "fresh": fresh, "seconds_left": left}).encode()
