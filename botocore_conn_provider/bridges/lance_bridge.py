"""The bridge to lance: a namespace, which lance asks for a table's credentials.

lance takes renewed credentials from nothing else. Where a namespace has names for its
tables, this one takes their addresses.

Source: lance's documentation of `LanceNamespace` and of `expires_at_millis`. Tried with
pylance 6.0.0 and 14.0.2.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.bridges.lending import Lender
from botocore_conn_provider.bridges.library import import_library

if TYPE_CHECKING:
    from collections.abc import Callable


def lance(conn_id: str | None = None) -> Any:
    """Return a `namespace_client` for lance's functions that read and write.

    Do not pickle a dataset that was opened with it: lance writes the keys of that moment
    into the pickle, and no way to renew them. Pickle the namespace and the `table_id`.

    Args:
        conn_id: The connection; None for that of the process.

    Raises:
        InvalidConnectionError: The connection is wrong, or not there.
        MissingDependencyError: lance is not installed.

    Example:
        lance.dataset(
            namespace_client=bridges.lance("aws_lake"),
            table_id=["s3://lake/orders.lance"],
        )
    """
    return _make_namespace(Lender(conn_id), uuid.uuid4().hex)


def _remake(conn_id: str, _: str) -> Any:
    """Make it again in the process where it is unpickled."""
    return lance(conn_id)


def _make_namespace(lender: Lender, key: str) -> Any:
    library = import_library(
        "lance.namespace", conn_id=lender.conn_id, install="pylance"
    )

    class Namespace(library.LanceNamespace):  # type: ignore[misc,name-defined] # lance's
        """Tables that are named by their addresses, and one connection for them."""

        def namespace_id(self) -> str:
            """Return a name that no other has: lance shares what has the same."""
            return f"botocore_conn_provider {lender.conn_id} {key}"

        def describe_table(self, request: Any) -> Any:
            """Return where a table is, with credentials.

            Raises:
                ConnProviderError: There are none to be had.
            """
            return library.DescribeTableResponse(
                location=_find_address(request), storage_options=_write(lender)
            )

        def declare_table(self, request: Any) -> Any:
            """Return the same for a table that is to be made.

            Raises:
                ConnProviderError: There are no credentials to be had.
            """
            return library.DeclareTableResponse(
                location=_find_address(request), storage_options=_write(lender)
            )

        def __reduce__(self) -> tuple[Callable[[str, str], Any], tuple[str, str]]:
            return _remake, (lender.conn_id, key)

    return Namespace()


def _find_address(request: Any) -> str:
    """Return a table's address, which is its id.

    Called from Python with a model, and from lance's Rust with a dict that has its method.
    """
    return "/".join(request.model_dump()["id"])


def _write(lender: Lender) -> dict[str, str]:
    lent = lender.lend()
    written = {
        **lent.name_for_object_store(),
        # Else AWS_SKIP_SIGNATURE would take the signature away.
        "aws_skip_signature": "false",
    }
    if lent.ends_at is not None:
        written["expires_at_millis"] = str(int(lent.ends_at.timestamp() * 1000))
    if lender.region_name is not None:
        written["aws_region"] = lender.region_name
    if lender.endpoint_url is not None:
        written["aws_endpoint"] = lender.endpoint_url
        written["aws_endpoint_url_s3"] = lender.endpoint_url  # else the variable's wins
        written["allow_http"] = str(lender.endpoint_url.startswith("http:")).lower()
    return written
