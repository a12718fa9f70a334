"""Who asks, made into one text: share what was issued with those only for whom it was.

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

Files, programs and endpoints are asked again at each exchange, so the identity behind
a flow may change while it is in use: keys are rotated, a tool exchanges one tenant's
file for another's and back. So each exchange finds out who asks now (`Asker`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from botocore_conn_provider.errors import ConnProviderError, StsExchangeError
from botocore_conn_provider.renewal.repeats import OUTLIVED
from botocore_conn_provider.renewal.schedule import Found
from botocore_conn_provider.secret import Options, Secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.exchange.flow import Flow
    from botocore_conn_provider.renewal.repeats import Repeats
    from botocore_conn_provider.renewal.schedule import Issued
    from botocore_conn_provider.renewal.source import Store

# Names what is hashed and how. To be changed with the encoding.
DOMAIN = b"botocore-conn-provider identity 3\n"


def fingerprint(settings: AwsSettings, who_asks: Mapping[str, str]) -> str:
    """Return the same text for the same identity, in every process.

    Args:
        settings: The connection. Its notices are for people and do not count.
        who_asks: What else decides the identity, of `Flow.identify`.
    """
    return _finish(_begin(settings), who_asks)


def _begin(settings: AwsSettings) -> hashlib._Hash:
    """Hash what stays the same as long as the connection does."""
    digest = hashlib.sha256(DOMAIN)
    _encode(settings._replace(notices=()), digest)
    return digest


def _finish(begun: hashlib._Hash, who_asks: Mapping[str, str]) -> str:
    digest = begun.copy()
    _encode(who_asks, digest)
    return digest.hexdigest()


def _encode(value: Any, digest: hashlib._Hash) -> None:
    """Add `value` to the digest in a form that no two different values share.

    Each text stands behind its kind and length, so that parts cannot run together.
    """
    if isinstance(value, str):  # first: most are, and an abstract class is slow to ask
        _encode_text(type(value).__name__, value, digest)
    elif isinstance(value, Secret):
        _encode_text("secret", value.reveal(), digest)
    elif isinstance(value, tuple | list):
        # The class counts: two kinds of role may have the same fields.
        name = type(value).__name__ if isinstance(value, tuple) else "list"
        digest.update(f"{name} {len(value)}\n".encode())
        for one in value:
            _encode(one, digest)
    elif value is not None and isinstance(value, Mapping | Options):
        digest.update(f"mapping {len(value)}\n".encode())
        for name in sorted(value, key=str):
            _encode(name, digest)
            _encode(value[name], digest)
    else:
        # A value of a kind that shows its address is its own in each process: it
        # is never shared, which is safe.
        _encode_text(type(value).__name__, repr(value), digest)


def _encode_text(kind: str, text: str, digest: hashlib._Hash) -> None:
    content = text.encode("utf-8", "surrogatepass")
    digest.update(f"{kind} {len(content)}\n".encode())
    digest.update(content)


class Asker:
    """Who asks for the credentials of a flow; a `Store` for its keeper.

    The store's entry is that of who asks now, and the registry of this process is told
    when the identity is no longer the one that the keeper is found by.

    Args:
        settings: The connection.
        flow: Of its role.
        store_path: The store's directory; None for no store.

    Attributes:
        identity: The fingerprint of who asked when this was made. It is a secret.
        on_change: Called, at each exchange, where somebody else asks now.
        passes_store_over: Whether credentials stay in this process, as in a rehearsal.

    Raises:
        ConnProviderError: The base identity cannot be had.
    """

    passes_store_over: ClassVar[bool] = False

    def __init__(
        self, settings: AwsSettings, flow: Flow[Any], store_path: Path | None
    ) -> None:
        self._settings = settings
        self._begun = _begin(settings)
        self._flow = flow
        self._store_path = store_path
        self.identity = self._identify()
        self.on_change: Callable[[], None] = lambda: None

    def obtain(
        self,
        fetch: Callable[[], Issued],
        *,
        accept: Callable[[Issued], bool],
        repeats: Repeats | None = None,
    ) -> Found:
        """Return what the store holds for who asks now, else what `fetch` returns.

        If STS says that it does not take us any more, and the keys or the token were
        rotated since they were read, those that are there now are tried, once.

        Raises:
            ConnProviderError: Of `fetch`, or the base identity cannot be had.
        """
        identity = self._identify()
        try:
            return self._obtain_as(identity, fetch, accept=accept, repeats=repeats)
        except StsExchangeError as error:
            if error.code not in OUTLIVED:
                raise
            rotated = self._find_other(identity)
            if rotated is None:
                raise
        return self._obtain_as(rotated, fetch, accept=accept, repeats=repeats)

    def _find_other(self, identity: str) -> str | None:
        """Return who asks now; None if it is the same, or cannot be told."""
        try:
            now = self._identify()
        except ConnProviderError:  # what STS said is the cause
            return None
        return None if now == identity else now

    def _obtain_as(
        self,
        identity: str,
        fetch: Callable[[], Issued],
        *,
        accept: Callable[[Issued], bool],
        repeats: Repeats | None,
    ) -> Found:
        if identity != self.identity:
            self.on_change()
        store = self._open_store(identity)
        if store is None:
            return Found(fetch(), from_store=False, waited_seconds=0.0)
        return store.obtain(fetch, accept=accept, repeats=repeats)

    def _identify(self) -> str:
        return _finish(self._begun, self._flow.identify())

    def _open_store(self, identity: str) -> Store | None:
        if self._store_path is None or self.passes_store_over:
            return None
        # Imported here: the store is off unless it is asked for.
        from botocore_conn_provider.renewal.store.machine_store import MachineStore

        settings = self._settings
        role_arn = None if settings.role is None else settings.role.role_arn
        return MachineStore(
            self._store_path,
            identity,
            lock_seconds=settings.own.lock_seconds,
            subject=(settings.conn_id, role_arn),
        )
