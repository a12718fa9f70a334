"""Ask an endpoint as AWS's SDKs do, and serve one from memory."""

from __future__ import annotations

import contextlib
import datetime
import http.client
import json
import pathlib
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from botocore_conn_provider.endpoint.endpoint import Endpoint
from botocore_conn_provider.endpoint.supply import FixedSupply
from botocore_conn_provider.exchange.flow import TemporaryCredentials
from botocore_conn_provider.secret import KeyId, Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore_conn_provider.endpoint.supply import Supply
    from tests.leaks import Secrets

FROM_FILE = "what the file says"
FAR = datetime.datetime(2090, 1, 1, tzinfo=datetime.timezone.utc)


class Reply(NamedTuple):
    """An HTTP answer."""

    status: int
    document: Any
    headers: dict[str, str]


def make_credentials(secrets: Secrets, key_id: str = "ASIAENDPOINT00000001") -> Any:
    """Return temporary credentials, whose secrets nothing may show."""
    return TemporaryCredentials(
        KeyId(key_id),
        Secret(secrets.add(uuid.uuid4().hex, name="secret key of the endpoint")),
        Secret(secrets.add(uuid.uuid4().hex, name="session token of the endpoint")),
        FAR,
        "123456789012",
    )


@contextlib.contextmanager
def open_endpoint(supply: Supply, **options: Any) -> Iterator[Endpoint]:
    """Serve what `supply` has."""
    endpoint = Endpoint(supply, **options)
    try:
        yield endpoint
    finally:
        endpoint.close()


@contextlib.contextmanager
def open_fixed(secrets: Secrets, **options: Any) -> Iterator[Endpoint]:
    """Serve one set of credentials."""
    supply = FixedSupply(make_credentials(secrets))
    with open_endpoint(supply, **options) as endpoint:
        yield endpoint


def ask(
    endpoint: Endpoint,
    *,
    method: str = "GET",
    path: str | None = None,
    token: str | None = FROM_FILE,
    headers: Mapping[str, str] | None = None,
    timeout: float = 30,
) -> Reply:
    """Ask once, with the token of the file unless another is given; None: without."""
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=timeout)
    with contextlib.closing(connection):
        sent = dict(headers or {})
        if token == FROM_FILE:
            token = pathlib.Path(endpoint.token_path).read_text()
        if token is not None:
            sent["Authorization"] = token
        connection.request(
            method, urlsplit(endpoint.url).path if path is None else path, headers=sent
        )
        answer = connection.getresponse()
        body = answer.read()
        document = json.loads(body) if body else None
        return Reply(answer.status, document, dict(answer.getheaders()))
