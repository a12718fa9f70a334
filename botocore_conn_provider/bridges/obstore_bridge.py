"""The bridge to obstore: a credential provider for its `S3Store`.

Source: obstore's documentation of `S3CredentialProvider`. Tried with 0.5.1 and 0.12.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore_conn_provider.bridges.lending import Lender
from botocore_conn_provider.bridges.library import import_library
from botocore_conn_provider.connection.environment import current_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from botocore_conn_provider.bridges.lending import Lent

    Credential = dict[str, Any]


# Newer versions read this variable and take it before "endpoint". Older ones refuse it.
S3S_ENDPOINT = "AWS_ENDPOINT_URL_S3"


class ObstoreBridge:
    """Gives obstore a connection's credentials: a `credential_provider`.

    Attributes:
        config: The connection's region and endpoint. obstore takes it from here.
        client_options: For `S3Store`, too, where the endpoint has no TLS.
    """

    def __init__(self, conn_id: str | None) -> None:
        self.lender = Lender(conn_id)
        self.config = _name_config(self.lender)
        endpoint = self.lender.endpoint_url or ""
        self.client_options = {"allow_http": endpoint.startswith("http:")}

    def __call__(self) -> Credential | Coroutine[Any, Any, Credential]:
        """Return credentials and when to ask again.

        Raises:
            ConnProviderError: There are none to be had.
        """
        return _write(self.lender.lend())

    def __reduce__(self) -> tuple[Callable[[str], ObstoreBridge], tuple[str]]:
        return type(self), (self.lender.conn_id,)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.lender.conn_id!r})"


class AsyncObstoreBridge(ObstoreBridge):
    """The same for who can await: the event loop goes on while an exchange runs."""

    async def __call__(self) -> Credential:
        """Return credentials and when to ask again.

        Raises:
            ConnProviderError: There are none to be had.
        """
        return _write(await self.lender.lend_async())


def obstore(conn_id: str | None = None, *, asynchronous: bool = False) -> ObstoreBridge:
    """Return a `credential_provider` for obstore's `S3Store`, with region and endpoint.

    Its `client_options` are for an endpoint without TLS.

    Args:
        conn_id: The connection; None for that of the process.
        asynchronous: Whether the store is used by obstore's functions that are awaited,
            and by no others.

    Raises:
        InvalidConnectionError: The connection is wrong, or not there.
        MissingDependencyError: obstore is not installed.

    Example:
        bridge = bridges.obstore("aws_lake")
        store = S3Store("lake", credential_provider=bridge)
    """
    bridge = (AsyncObstoreBridge if asynchronous else ObstoreBridge)(conn_id)
    import_library("obstore", conn_id=bridge.lender.conn_id)
    return bridge


def _write(lent: Lent) -> Credential:
    named = lent.name("access_key_id", "secret_access_key", "token")
    return {**named, "expires_at": lent.ends_at}


def _name_config(lender: Lender) -> dict[str, str]:
    # obstore asks the environment for what it is not told: AWS_SKIP_SIGNATURE would
    # take the signature away.
    config = {"skip_signature": "false"}
    if lender.region_name is not None:
        config["region"] = lender.region_name
    if lender.endpoint_url is not None:
        config["endpoint"] = lender.endpoint_url
        if S3S_ENDPOINT in current_environment() and _is_known(S3S_ENDPOINT, lender):
            config[S3S_ENDPOINT] = lender.endpoint_url
    return config


def _is_known(option: str, lender: Lender) -> bool:
    store = import_library("obstore.store", conn_id=lender.conn_id)
    try:
        store.S3Store("any", config={option: lender.endpoint_url})
    except Exception as error:  # noqa: BLE001 - of obstore's, which stays unimported
        return type(error).__name__ != "UnknownConfigurationKeyError"
    return True
