"""Give a library that asks for credentials by itself those of a connection.

Each function is named after its library and returns what that library's documentation
asks for. No server and no change of the environment: the library calls us when what it
has is about to end, and is answered from memory, by the same renewal that serves this
process's boto3 clients. So a bridge adds no call of STS.

    import polars

    from botocore_conn_provider import bridges

    bridge = bridges.polars("aws_lake")
    polars.scan_parquet(
        "s3://lake/orders/",
        credential_provider=bridge,
        storage_options=bridge.storage_options,
    )

The connection is read when the bridge is made. What is pickled of a bridge is its name:
in another process or on another machine it is read there. What daft and lance make of it
holds keys, as their bridges say.
"""

# Loaded at first use, so that a bridge imports its own library and no other.

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from botocore_conn_provider.bridges.awscrt_bridge import awscrt
    from botocore_conn_provider.bridges.daft_bridge import daft
    from botocore_conn_provider.bridges.duckdb_bridge import duckdb
    from botocore_conn_provider.bridges.lance_bridge import lance
    from botocore_conn_provider.bridges.obstore_bridge import obstore
    from botocore_conn_provider.bridges.polars_bridge import polars
    from botocore_conn_provider.bridges.pyarrow_bridge import pyarrow

__all__ = ["awscrt", "daft", "duckdb", "lance", "obstore", "polars", "pyarrow"]


def __getattr__(name: str) -> "Any":
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{name}_bridge"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
