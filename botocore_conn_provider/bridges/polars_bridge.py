"""The bridge to polars: a credential provider.

Source: polars' documentation of `credential_provider`. Tried with 1.12.0 and 2.1.0.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from botocore_conn_provider.bridges.lending import Lender
from botocore_conn_provider.bridges.library import import_library

if TYPE_CHECKING:
    from collections.abc import Callable


class PolarsBridge:
    """Gives polars a connection's credentials: a `credential_provider`.

    Attributes:
        storage_options: The connection's region and endpoint, as polars names them.
    """

    def __init__(self, conn_id: str | None) -> None:
        self.lender = Lender(conn_id)
        # polars keeps what it has opened by the pickle of its provider. Another object
        # may be another identity, although its connection has the same name.
        self._key = uuid.uuid4().hex
        self.storage_options = _name_options(self.lender)

    def __call__(self) -> tuple[dict[str, str], int | None]:
        """Return credentials and when to ask again, in seconds since 1970.

        Raises:
            ConnProviderError: There are none to be had.
        """
        lent = self.lender.lend()
        ends_at = None if lent.ends_at is None else int(lent.ends_at.timestamp())
        return lent.name_for_object_store(), ends_at

    def __reduce__(self) -> tuple[Callable[[str, str], PolarsBridge], tuple[str, str]]:
        return _remake, (self.lender.conn_id, self._key)

    def __repr__(self) -> str:
        return f"polars({self.lender.conn_id!r})"


def polars(conn_id: str | None = None) -> PolarsBridge:
    """Return a `credential_provider` for polars' functions that read and write.

    Its `storage_options` hold the connection's region and endpoint, and that requests
    are signed. polars keeps open what it has read by a bridge; make one and use it again.

    Args:
        conn_id: The connection; None for that of the process.

    Raises:
        InvalidConnectionError: The connection is wrong, or not there.
        MissingDependencyError: polars is not installed.

    Example:
        bridge = bridges.polars("aws_lake")
        polars.scan_parquet(
            "s3://lake/orders/",
            credential_provider=bridge,
            storage_options=bridge.storage_options,
        )
    """
    bridge = PolarsBridge(conn_id)
    import_library("polars", conn_id=bridge.lender.conn_id)
    return bridge


def _remake(conn_id: str, _: str) -> PolarsBridge:
    """Make it again in the process where it is unpickled."""
    return polars(conn_id)


def _name_options(lender: Lender) -> dict[str, str]:
    # polars asks the environment for what it is not told: AWS_SKIP_SIGNATURE would take
    # the signature away, and AWS_ENDPOINT_URL_S3 the endpoint.
    options = {"aws_skip_signature": "false"}
    if lender.region_name is not None:
        options["aws_region"] = lender.region_name
    if lender.endpoint_url is not None:
        options["aws_endpoint_url"] = lender.endpoint_url
        options["aws_endpoint_url_s3"] = lender.endpoint_url
        if lender.endpoint_url.startswith("http:"):
            options["aws_allow_http"] = "true"
    return options
