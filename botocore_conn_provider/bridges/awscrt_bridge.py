"""The bridge to awscrt: a credentials provider of AWS's Common Runtime.

Source: awscrt's documentation of `AwsCredentialsProvider.new_delegate`. Tried with
0.20.0 and 0.38.1.
"""

from __future__ import annotations

from typing import Any

from botocore_conn_provider.bridges.lending import Lender
from botocore_conn_provider.bridges.library import import_library


def awscrt(conn_id: str | None = None) -> Any:
    """Return an `AwsCredentialsProvider` for awscrt's clients and signers.

    The runtime tells its callers that there are no credentials, and not why: our error
    goes to `sys.unraisablehook`, which prints it.

    Args:
        conn_id: The connection; None for that of the process.

    Raises:
        InvalidConnectionError: The connection is wrong, or not there.
        MissingDependencyError: awscrt is not installed.

    Example:
        provider = bridges.awscrt("aws_lake")
        config = AwsSigningConfig(credentials_provider=provider, region="eu-west-1")
    """
    lender = Lender(conn_id)
    auth = import_library("awscrt.auth", conn_id=lender.conn_id)

    def get_credentials() -> Any:
        lent = lender.lend()
        return auth.AwsCredentials(
            **lent.name("access_key_id", "secret_access_key", "session_token"),
            expiration=lent.ends_at,
        )

    class Bridge(auth.AwsCredentialsProvider):  # type: ignore[misc,name-defined] # awscrt's
        """The provider, whose pickle holds the connection's name."""

        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return awscrt, (lender.conn_id,)

    return Bridge.new_delegate(get_credentials)
