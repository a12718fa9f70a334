"""Made-up keys, each of which stands for one identity and opens nothing."""

from __future__ import annotations

import datetime
import json
import secrets
import string
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore_conn_provider.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

ALPHABET = string.ascii_uppercase + string.digits
HOURS = 6


class MarkerKeys(NamedTuple):
    """Temporary keys that nothing accepts. Who signs with them shows where it looked."""

    access_key_id: str
    secret_access_key: Secret
    session_token: Secret
    expires_at: str

    @classmethod
    def make(cls) -> MarkerKeys:
        """Return new ones, as AWS's look."""
        ends = datetime.datetime.now(datetime.timezone.utc)
        ends += datetime.timedelta(hours=HOURS)
        return cls(
            "ASIA" + "".join(secrets.choice(ALPHABET) for _ in range(16)),
            Secret(secrets.token_hex(20)),
            Secret(secrets.token_hex(100)),
            ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )

    def write_document(self) -> str:
        """Return them as metadata services and container endpoints hand them out."""
        document: Mapping[str, Any] = {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self.secret_access_key.reveal(),
            "Token": self.session_token.reveal(),
            "LastUpdated": "2020-01-01T00:00:00Z",
            "Expiration": self.expires_at,
        }
        return json.dumps(document)

    def write_connection(self, *, has_token: bool) -> str:
        """Return them as a connection that needs nobody to get credentials from."""
        extra = {"region_name": "us-east-1"}
        if has_token:
            extra["aws_session_token"] = self.session_token.reveal()
        document: Mapping[str, Any] = {
            "conn_type": "aws",
            "login": self.access_key_id,
            "password": self.secret_access_key.reveal(),
            "extra": extra,
        }
        return json.dumps(document)

    def write_portal(self) -> str:
        """Return the answer of IAM Identity Center's portal that hands them out."""
        document: Mapping[str, Any] = {
            "accessKeyId": self.access_key_id,
            "secretAccessKey": self.secret_access_key.reveal(),
            "sessionToken": self.session_token.reveal(),
            "expiration": int((time.time() + HOURS * 3600) * 1000),
        }
        return json.dumps({"roleCredentials": document})

    def write_role(self, operation: str) -> str:
        """Return STS's answer that hands them out."""
        return f"""\
<{operation}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<{operation}Result><Credentials>
<AccessKeyId>{self.access_key_id}</AccessKeyId>
<SecretAccessKey>{self.secret_access_key.reveal()}</SecretAccessKey>
<SessionToken>{self.session_token.reveal()}</SessionToken>
<Expiration>{self.expires_at}</Expiration>
</Credentials><AssumedRoleUser>
<AssumedRoleId>AROAEXAMPLE:whoami</AssumedRoleId>
<Arn>arn:aws:sts::000000000000:assumed-role/whoami/whoami</Arn>
</AssumedRoleUser></{operation}Result>
<ResponseMetadata><RequestId>whoami</RequestId></ResponseMetadata>
</{operation}Response>"""
