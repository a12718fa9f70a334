"""Send a plain request to AWS on the way that the connection's clients take."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from botocore_conn_provider.exchange.sts_config import bound_sts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.connection.settings import ClientSettings
    from botocore_conn_provider.exchange.unfitted_session import UnfittedSession


@contextlib.contextmanager
def open_http(
    client: ClientSettings, base: UnfittedSession, url: str
) -> Iterator[URLLib3Session]:
    """Return what sends to `url` by the connection's proxies, `verify` and timeouts.

    It follows no redirect and repeats nothing.
    """
    options = bound_sts({**client.config})
    proxies = options.get("proxies")
    verify: Any = client.verify
    if verify is None:
        verify = base.get_config_variable("ca_bundle") or True
    # The stubs know one type each where botocore takes more.
    session = URLLib3Session(
        verify=verify,
        proxies=get_environ_proxies(url) if proxies is None else proxies,
        timeout=(options["connect_timeout"], options["read_timeout"]),  # type: ignore[arg-type]
        client_cert=options.get("client_cert"),
        proxies_config=options.get("proxies_config"),
    )
    try:
        yield session
    finally:
        session.close()
