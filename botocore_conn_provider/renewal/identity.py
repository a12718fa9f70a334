"""Tell identities apart: what decides who we are, made into one text.

Two sessions, or two processes with the store on, share credentials only if all of it
is the same: the whole meaning of the connection, secrets too, and who asks. Who asks
is what the flow itself resolved (`Flow.identify`), by content: there is no second
place that decides it.

A fingerprint is itself treated as a secret. A hash hides no password that can be
guessed: an attacker who sees it may try words until the hash fits, since the rest of a
connection is no secret. A slow hash would cost every process start what it costs
the guesser. So it stays in memory: never log or print it. Outside, the store names
its files with an HMAC of it under a random key of the store's own, and without the
key there is nothing to try words against.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.secret import Options, Secret

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import AwsSettings

# Names what is hashed and how. To be changed with the encoding.
DOMAIN = b"botocore-conn-provider identity 2\n"


def fingerprint(settings: AwsSettings, who_asks: Mapping[str, str]) -> str:
    """Return the same text for the same identity, in every process.

    Args:
        settings: The connection. Its notices are for people and do not count.
        who_asks: What else decides the identity, of `Flow.identify`.
    """
    digest = hashlib.sha256(DOMAIN)
    for part in _encode((settings._replace(notices=()), who_asks)):
        digest.update(part)
    return digest.hexdigest()


def _encode(value: Any) -> Iterator[bytes]:
    """Yield `value` in a form that no two different values share.

    Each text stands behind its kind and length, so that parts cannot run together.
    """
    if isinstance(value, Secret):
        yield from _encode_text("secret", value.reveal())
    elif isinstance(value, Mapping | Options):
        yield f"mapping {len(value)}\n".encode()
        for name in sorted(value, key=str):
            yield from _encode(name)
            yield from _encode(value[name])
    elif isinstance(value, tuple | list):
        # The class counts: two kinds of role may have the same fields.
        name = type(value).__name__ if isinstance(value, tuple) else "list"
        yield f"{name} {len(value)}\n".encode()
        for one in value:
            yield from _encode(one)
    else:
        # A value of a kind that shows its address is its own in each process: it
        # is never shared, which is safe.
        text = value if isinstance(value, str) else repr(value)
        yield from _encode_text(type(value).__name__, text)


def _encode_text(kind: str, text: str) -> Iterator[bytes]:
    content = text.encode("utf-8", "surrogatepass")
    yield f"{kind} {len(content)}\n".encode()
    yield content
