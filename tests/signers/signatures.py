"""Sign again, as AWS does, what was sent: does the signature belong to the key id?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urlsplit

from botocore.auth import S3SigV4Auth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.aws import IssuedKeys

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/"
    r"(?P<service>[^/]+)/aws4_request, SignedHeaders=(?P<headers>[^,]+), "
    r"Signature=(?P<signature>\w{64})"
)


class Sent(NamedTuple):
    """A request as it came, the names of its headers in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class Signed(NamedTuple):
    """Who signed; `is_right` is whether all of it is of one set that STS issued."""

    key_id: str
    service: str
    is_right: bool


def check(sent: Sent, issued: Iterable[IssuedKeys]) -> Signed | None:
    """Return who signed a request in its header; None for one that is not signed."""
    found = AUTHORIZATION.fullmatch(sent.headers.get("authorization", ""))
    if found is None:
        return None
    key_id, region, service = found["key"], found["region"], found["service"]
    kind = S3SigV4Auth if service == "s3" else SigV4Auth
    # botocore writes the host by itself.
    names = [name for name in found["headers"].split(";") if name != "host"]
    headers = {name: sent.headers[name] for name in names}
    request = AWSRequest(sent.method, sent.url, headers, sent.body)
    right = any(
        each.session_token == sent.headers.get("x-amz-security-token")
        and found["signature"]
        == _sign(kind, each, (service, region), request, headers["x-amz-date"])
        for each in issued
        if each.access_key_id == key_id
    )
    return Signed(key_id, service, right)


def check_url(url: str, issued: Iterable[IssuedKeys]) -> Signed:
    """Return who signed a presigned URL."""
    query = parse_qs(urlsplit(url).query)
    key_id, _, region, service, _ = query["X-Amz-Credential"][0].split("/")
    unsigned = re.sub(r"&X-Amz-Signature=\w{64}", "", url)
    # The MSK signer adds it after it has signed.
    unsigned = re.sub(r"&User-Agent=[^&]+", "", unsigned)
    right = any(
        query["X-Amz-Security-Token"] == [each.session_token]
        and query["X-Amz-Signature"][0]
        == _sign(
            SigV4QueryAuth,
            each,
            (service, region),
            AWSRequest("GET", unsigned),
            query["X-Amz-Date"][0],
        )
        for each in issued
        if each.access_key_id == key_id
    )
    return Signed(key_id, service, right)


def _sign(
    kind: type[SigV4Auth],
    keys: IssuedKeys,
    scope: tuple[str, str],
    request: AWSRequest,
    timestamp: str,
) -> str:
    request.context["timestamp"] = timestamp
    signer = kind(Credentials(*keys), *scope)
    canonical = signer.canonical_request(request)
    return str(signer.signature(signer.string_to_sign(request, canonical), request))
