"""requests' connections, watched by the deadline that they are made under.

A module of its own because it imports requests, which is optional: load it late.
"""

from __future__ import annotations

from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from botocore_conn_provider.federation.deadline import find_deadline


class WatchedAdapter(HTTPAdapter):
    """requests' adapter, whose connections are shut at the deadline."""

    def init_poolmanager(self, *sizes: Any, **options: Any) -> None:
        """Make the manager of direct connections; requests calls it."""
        super().init_poolmanager(*sizes, **options)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Return the manager of connections through `proxy`; requests calls it."""
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = POOLS
        return manager


class _WatchedHttpConnection(HTTPConnection):
    def connect(self) -> None:
        _watch(self)  # before: a proxy may drip while the connection is made
        super().connect()
        _watch(self)  # after: the deadline may have come meanwhile


class _WatchedHttpsConnection(HTTPSConnection):
    def connect(self) -> None:
        _watch(self)
        super().connect()
        _watch(self)


class _WatchedHttpPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHttpConnection


class _WatchedHttpsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHttpsConnection


POOLS = {"http": _WatchedHttpPool, "https": _WatchedHttpsPool}


def _watch(connection: HTTPConnection) -> None:
    deadline = find_deadline()
    if deadline is not None:
        deadline.watch(connection)
