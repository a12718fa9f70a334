"""The bridge to daft: an `IOConfig` whose credentials renew.

Source: daft's documentation of `S3Config.credentials_provider`. Tried with 0.5.0 and
0.7.26.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.bridges.lending import Lender
from botocore_conn_provider.bridges.library import import_library

if TYPE_CHECKING:
    from collections.abc import Callable


class DaftBridge:
    """Gives daft a connection's credentials: a `credentials_provider`."""

    def __init__(self, conn_id: str | None) -> None:
        self.lender = Lender(conn_id)
        # daft takes providers with the same hash for the same one, and pickles the hash.
        # An address is used again, here or where the pickle is read.
        self._hash = hash(uuid.uuid4())
        self._io = import_library("daft.io", conn_id=self.lender.conn_id)

    def __call__(self) -> Any:
        """Return daft's `S3Credentials`, and in them when to ask again.

        Raises:
            ConnProviderError: There are none to be had.
        """
        lent = self.lender.lend()
        return self._io.S3Credentials(
            **lent.name("key_id", "access_key", "session_token"), expiry=lent.ends_at
        )

    def make_config(self) -> Any:
        """Return daft's `IOConfig` with the connection's region and endpoint."""
        settings = self._io.S3Config(
            credentials_provider=self,
            region_name=self.lender.region_name,
            endpoint_url=self.lender.endpoint_url,
        )
        return self._io.IOConfig(s3=settings)

    def __reduce__(self) -> tuple[Callable[[str], DaftBridge], tuple[str]]:
        return DaftBridge, (self.lender.conn_id,)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        return f"DaftBridge({self.lender.conn_id!r})"


def daft(conn_id: str | None = None) -> Any:
    """Return an `IOConfig` for daft's functions that read and write.

    daft itself writes the keys that it was given last into its `repr`, its pickle and the
    plans that `explain` shows, although they are not used again. So show and pickle none
    that has been used: make one where you need it.

    Args:
        conn_id: The connection; None for that of the process.

    Raises:
        InvalidConnectionError: The connection is wrong, or not there.
        MissingDependencyError: daft is not installed.

    Example:
        daft.read_parquet("s3://lake/orders/", io_config=bridges.daft("aws_lake"))
    """
    return DaftBridge(conn_id).make_config()
