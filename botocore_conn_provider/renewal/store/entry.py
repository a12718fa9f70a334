"""Write credentials as bytes that are bound to their identity, and read them back.

An entry names neither connection nor role. An HMAC over it, under the store's random
key and the identity's fingerprint, makes sure that an incomplete entry, an edited one,
or one that was copied from another identity's file is not used.
"""

from __future__ import annotations

import datetime
import hmac
import json
from typing import Any

from botocore_conn_provider.exchange.sts import TemporaryCredentials
from botocore_conn_provider.renewal.schedule import Issued
from botocore_conn_provider.secret import KeyId, Secret

FORMAT = 1
DIGEST = "sha256"


def name_entry(key: bytes, fingerprint: str) -> str:
    """Return the file name of the identity's entry."""
    return hmac.new(key, b"name\n" + fingerprint.encode(), DIGEST).hexdigest()


def write_entry(issued: Issued, *, key: bytes, fingerprint: str) -> bytes:
    """Return the entry for these credentials."""
    keys = issued.credentials
    body = {
        "format": FORMAT,
        "access_key_id": keys.access_key_id,
        "secret_access_key": keys.secret_access_key.reveal(),
        "session_token": keys.session_token.reveal(),
        "expires_at": issued.expires_at,
        "account_id": keys.account_id,
        "obtained_at": issued.obtained_at,
    }
    content = json.dumps(body).encode()
    return _seal(content, key, fingerprint) + b"\n" + content


def read_entry(entry: bytes, *, key: bytes, fingerprint: str) -> Issued | None:
    """Return the credentials; None if we did not write the entry for this identity."""
    seal, _, content = entry.partition(b"\n")
    if not hmac.compare_digest(seal, _seal(content, key, fingerprint)):
        return None
    body = json.loads(content)
    return _from_body(body) if body["format"] == FORMAT else None


def _from_body(body: dict[str, Any]) -> Issued:
    expires_at = datetime.datetime.fromtimestamp(
        body["expires_at"], tz=datetime.timezone.utc
    )
    credentials = TemporaryCredentials(
        access_key_id=KeyId(body["access_key_id"]),
        secret_access_key=Secret(body["secret_access_key"]),
        session_token=Secret(body["session_token"]),
        expires_at=expires_at,
        account_id=body["account_id"],
    )
    return Issued(credentials, obtained_at=body["obtained_at"])


def _seal(content: bytes, key: bytes, fingerprint: str) -> bytes:
    message = b"entry\n" + fingerprint.encode() + b"\n" + content
    return hmac.new(key, message, DIGEST).hexdigest().encode()
