"""What a pickle of our credentials holds: how to make them, never the keys.

A pickle crosses to another process or machine, where it is made anew from the
connection in the environment there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.credentials import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable


def remake_credentials(conn_id: str) -> Credentials | None:
    """Return the credentials of a connection, from this process's environment.

    Raises:
        InvalidConnectionError: The connection is wrong here.
        ConnectionNotFoundError: It is not here.
    """
    from botocore_conn_provider.hosts.bound import create_bound_session  # no cycle

    return create_bound_session(conn_id).get_credentials()


def remake_aio_credentials(conn_id: str) -> Any:
    """Do the same for aiobotocore's kind.

    Raises:
        InvalidConnectionError: The connection is wrong here.
        ConnectionNotFoundError: It is not here.
    """
    from aiobotocore.session import AioSession

    from botocore_conn_provider.hosts.bound import create_bound_session

    session = create_bound_session(conn_id, AioSession)
    return session.get_component("credential_provider").providers[0].load_now()


class ConnectionCredentials(Credentials):
    """Static keys of a connection, which a pickle does not hold."""

    def __init__(self, keys: tuple[str, str, str | None], *, conn_id: str) -> None:
        super().__init__(*keys, method="conn-static")
        self._conn_id = conn_id

    def __reduce__(self) -> tuple[Callable[..., Credentials | None], tuple[str]]:
        return remake_credentials, (self._conn_id,)
