"""Share what was issued with those only for whom it was issued.

Files, programs and endpoints are asked again at each exchange, so the identity behind
a flow may change while it is in use: keys are rotated, a tool exchanges one tenant's
file for another's and back. So each exchange finds out who asks now. The store's entry
is that identity's, and the registry of this process is told when the identity is no
longer the one that the keeper is found by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore_conn_provider.errors import ConnProviderError, StsExchangeError
from botocore_conn_provider.renewal.identity import fingerprint
from botocore_conn_provider.renewal.repeats import OUTLIVED
from botocore_conn_provider.renewal.schedule import Found

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.exchange.flow import Flow
    from botocore_conn_provider.renewal.schedule import Issued, Store


class Asker:
    """Who asks for the credentials of a flow; a `Store` for its keeper.

    Args:
        settings: The connection.
        flow: Of its role.
        store_path: The store's directory; None for no store.

    Attributes:
        identity: The fingerprint of who asked when this was made. It is a secret.
        on_change: Called, at each exchange, where somebody else asks now.

    Raises:
        ConnProviderError: The base identity cannot be had.
    """

    def __init__(
        self, settings: AwsSettings, flow: Flow[Any], store_path: Path | None
    ) -> None:
        self._settings = settings
        self._flow = flow
        self._store_path = store_path
        self.identity = self._identify()
        self.on_change: Callable[[], None] = lambda: None

    def obtain(
        self, fetch: Callable[[], Issued], *, accept: Callable[[Issued], bool]
    ) -> Found:
        """Return what the store holds for who asks now, else what `fetch` returns.

        If STS says that it does not take us any more, and the keys or the token were
        rotated since they were read, those that are there now are tried, once.

        Raises:
            ConnProviderError: Of `fetch`, or the base identity cannot be had.
        """
        identity = self._identify()
        try:
            return self._obtain_as(identity, fetch, accept)
        except StsExchangeError as error:
            if error.code not in OUTLIVED:
                raise
            rotated = self._find_other(identity)
            if rotated is None:
                raise
        return self._obtain_as(rotated, fetch, accept)

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
        accept: Callable[[Issued], bool],
    ) -> Found:
        if identity != self.identity:
            self.on_change()
        store = self._open_store(identity)
        if store is None:
            return Found(fetch(), from_store=False, waited_seconds=0.0)
        return store.obtain(fetch, accept=accept)

    def _identify(self) -> str:
        return fingerprint(self._settings, self._flow.identify())

    def _open_store(self, identity: str) -> Store | None:
        if self._store_path is None:
            return None
        # Imported here: the store is off unless it is asked for.
        from botocore_conn_provider.renewal.store.machine_store import MachineStore

        seconds = self._settings.own.lock_seconds
        return MachineStore(self._store_path, identity, lock_seconds=seconds)
