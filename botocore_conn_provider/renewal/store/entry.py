"""Write credentials as bytes that are bound to their identity, and read them back.

An entry names neither connection nor role. An HMAC over it, under the store's random
key and the identity's fingerprint, makes sure that an incomplete entry, an edited one,
or one that was copied from another identity's file is not used.

It holds the moment of its issue by both clocks, and is believed only if both have moved
on by the same since then. Otherwise the wall clock was set, the machine was started
again, or the machine slept and has no clock that counts that: then no one knows how old
the credentials are.
"""

from __future__ import annotations

import datetime
import hmac
import json
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.exchange.flow import TemporaryCredentials
from botocore_conn_provider.renewal.schedule import Issued
from botocore_conn_provider.secret import KeyId, Secret

if TYPE_CHECKING:
    from botocore_conn_provider.renewal.runtime import Runtime

FORMAT = 2
# A clock that is kept right by small steps stays below this.
CLOCK_TOLERANCE_SECONDS = 10.0
DIGEST = "sha256"


def name_entry(key: bytes, fingerprint: str) -> str:
    """Return the file name of the identity's entry."""
    return hmac.new(key, b"name\n" + fingerprint.encode(), DIGEST).hexdigest()


def write_entry(
    issued: Issued, *, key: bytes, fingerprint: str, clocks: Runtime
) -> bytes:
    """Return the entry for these credentials."""
    keys = issued.credentials
    age = clocks.elapsed() - issued.obtained_at
    body = {
        "format": FORMAT,
        "access_key_id": keys.access_key_id,
        "secret_access_key": keys.secret_access_key.reveal(),
        "session_token": keys.session_token.reveal(),
        "expires_at": keys.expires_at.timestamp(),
        "account_id": keys.account_id,
        "obtained_at": issued.obtained_at,
        "ends_at": issued.ends_at,
        "wall_obtained_at": clocks.now() - age,
    }
    content = json.dumps(body).encode()
    return seal_content(content, key, fingerprint) + b"\n" + content


def read_entry(
    entry: bytes, *, key: bytes, fingerprint: str, clocks: Runtime
) -> Issued | None:
    """Return the credentials; None if the entry is not to be believed.

    That is if we did not write it for this identity, or a clock was set since then.
    """
    content = open_sealed(entry, key, fingerprint)
    if content is None:
        return None
    body = json.loads(content)
    if body["format"] != FORMAT or not is_age_known(
        body["wall_obtained_at"], body["obtained_at"], clocks
    ):
        return None
    return _from_body(body)


def is_age_known(wall: float, steady: float, clocks: Runtime) -> bool:
    """Return whether both clocks have moved on by the same since that moment."""
    by_wall = clocks.now() - wall
    by_steady = clocks.elapsed() - steady
    return bool(abs(by_wall - by_steady) <= CLOCK_TOLERANCE_SECONDS)


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
    return Issued(credentials, obtained_at=body["obtained_at"], ends_at=body["ends_at"])


def seal_content(
    content: bytes, key: bytes, fingerprint: str, *, domain: bytes = b"entry\n"
) -> bytes:
    """Return what only this store can have made of the content, for this identity."""
    message = domain + fingerprint.encode() + b"\n" + content
    return hmac.new(key, message, DIGEST).hexdigest().encode()


def open_sealed(
    sealed: bytes, key: bytes, fingerprint: str, *, domain: bytes = b"entry\n"
) -> bytes | None:
    """Return the content below its seal; None if the seal is not that of the content."""
    seal, _, content = sealed.partition(b"\n")
    wanted = seal_content(content, key, fingerprint, domain=domain)
    return content if hmac.compare_digest(seal, wanted) else None
