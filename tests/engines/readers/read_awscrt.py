"""A signer of awscrt's, by its bridge."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from awscrt import auth
from awscrt.http import HttpRequest

from botocore_conn_provider import Connection, bridges

provider = bridges.awscrt()
place = urlsplit(str(Connection.from_env().extra["endpoint_url"])).netloc


def read() -> int:
    request = HttpRequest("GET", "/tables?list-type=2")
    request.headers.add("host", place)
    config = auth.AwsSigningConfig(
        algorithm=auth.AwsSigningAlgorithm.V4,
        credentials_provider=provider,
        region="us-east-1",
        service="s3",
    )
    signed = auth.aws_sign_request(request, config).result()
    s3 = http.client.HTTPConnection(place)
    s3.request("GET", "/tables?list-type=2", headers=dict(signed.headers))
    found = s3.getresponse().read()
    assert b"<Error>" not in found, found
    return found.count(b"<Key>")
