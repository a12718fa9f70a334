"""The bridge to pyarrow: a filesystem whose requests are signed by aiobotocore.

pyarrow's own S3 filesystem takes keys that it never renews, and goes on without a
signature where it finds none. So this one is s3fs, in pyarrow's form: each request is
signed with the credentials of its moment, also of a file that was opened long before.

Source: pyarrow's documentation of `PyFileSystem` and `FSSpecHandler`; s3fs's of
`session`. Tried with pyarrow 17.0.0 and s3fs 2024.6, and with 25.0.1 and 2026.9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore_conn_provider.bridges.lending import Lender
from botocore_conn_provider.bridges.library import import_library
from botocore_conn_provider.sessions.fitting import create_bound_session

if TYPE_CHECKING:
    from collections.abc import Callable

# Left to the session.
IDENTITY: dict[str, Any] = {
    "anon": False,
    **dict.fromkeys(("key", "secret", "token", "username", "password")),
    **dict.fromkeys(("endpoint_url", "client_kwargs", "config_kwargs")),
}


def pyarrow(conn_id: str | None = None) -> Any:
    """Return a filesystem for pyarrow's functions that read and write.

    Args:
        conn_id: The connection; None for that of the process.

    Raises:
        InvalidConnectionError: The connection is wrong, or not there.
        MissingDependencyError: pyarrow or s3fs is not installed.

    Example:
        files = bridges.pyarrow("aws_lake")
        pyarrow.dataset.dataset("lake/orders/", filesystem=files)
    """
    lender = Lender(conn_id)
    fs = import_library("pyarrow.fs", conn_id=lender.conn_id)
    return fs.PyFileSystem(_make_handler(fs, lender))


def _make_handler(fs: Any, lender: Lender) -> Any:
    class ArrowHandler(fs.FSSpecHandler):  # type: ignore[misc] # pyarrow's
        """s3fs in pyarrow's form, whose pickle holds the connection's name."""

        def __reduce__(self) -> tuple[Callable[[str], Any], tuple[str]]:
            return _remake_handler, (lender.conn_id,)

    return ArrowHandler(_make_files(lender))


def _remake_handler(conn_id: str) -> Any:
    """Make it again in the process where it is unpickled."""
    lender = Lender(conn_id)
    return _make_handler(import_library("pyarrow.fs", conn_id=conn_id), lender)


def _make_files(lender: Lender) -> Any:
    s3fs = import_library("s3fs", conn_id=lender.conn_id)
    aio = import_library("aiobotocore.session", conn_id=lender.conn_id)
    return s3fs.S3FileSystem(
        session=create_bound_session(lender.conn_id, aio.AioSession),
        # fsspec's configuration would give them: FSSPEC_S3_KEY and its kin.
        **IDENTITY,
        # s3fs would share it among sessions that look alike, and remember listings.
        skip_instance_cache=True,
        use_listings_cache=False,
    )
