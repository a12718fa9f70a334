"""What AWS answers to a request that was signed with expired credentials.

In the protocol of the service, for the parsers of botocore and of aiobotocore. Which
protocol it is, the request shows as it shows AWS; what it does not show (REST in XML or
JSON, EC2's kind of query) the service's model says.

Source: the error formats of the protocols in smithy.io/2.0/aws/protocols; the codes are
S3's, STS's, EC2's and DynamoDB's own.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.awsrequest import AWSPreparedRequest

MESSAGE = "The security token included in the request is expired"
REQUEST_ID = "rehearsed-by-botocore-conn"
FORBIDDEN, BAD_REQUEST = 403, 400
QUERY = f"""\
<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code>\
<Message>{MESSAGE}</Message></Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"""
EC2 = f"""\
<Response><Errors><Error><Code>RequestExpired</Code><Message>Request has expired.\
</Message></Error></Errors><RequestID>{REQUEST_ID}</RequestID></Response>"""
S3 = f"""\
<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message>\
<RequestId>{REQUEST_ID}</RequestId></Error>"""
JSON = f'{{"__type":"ExpiredTokenException","message":"{MESSAGE}"}}'
REST_JSON = f'{{"message":"{MESSAGE}"}}'


def _write_cbor(text: str) -> bytes:
    """Return a text of up to 255 bytes in CBOR (RFC 8949, 3.1: major type 3)."""
    raw = text.encode()
    return bytes([0x78, len(raw)]) + raw


TWO_PAIRS = b"\xa2"
CBOR = TWO_PAIRS + b"".join(
    map(_write_cbor, ("__type", "ExpiredTokenException", "message", MESSAGE))
)


class Bytes:
    """A body as botocore reads it, from urllib3."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """Return all of it, once."""
        yield self.read()

    def read(self, *_: Any, **__: Any) -> bytes:
        """Return all of it, once."""
        content, self._content = self._content, b""
        return content


class AioBytes:
    """A body as aiobotocore reads it, from aiohttp."""

    def __init__(self, content: bytes, headers: dict[str, str]) -> None:
        self._content = content
        self.headers = headers
        self.raw_headers = [(k.encode(), v.encode()) for k, v in headers.items()]

    async def read(self, *_: Any, **__: Any) -> bytes:
        """Return all of it, once."""
        content, self._content = self._content, b""
        return content


def answer(request: AWSPreparedRequest, protocol: str) -> AWSResponse:
    """Return the answer for a client of botocore."""
    status, headers, content = _choose(request, protocol)
    # The stubs want a class of headers; botocore makes it of any mapping.
    given: Any = headers
    return AWSResponse(request.url, status, given, Bytes(content))


def answer_aio(request: AWSPreparedRequest, protocol: str) -> Any:
    """Return the answer for a client of aiobotocore."""
    # Imported here: it comes with aiobotocore, which this program has imported.
    from aiobotocore.awsrequest import AioAWSResponse

    status, headers, content = _choose(request, protocol)
    return AioAWSResponse(request.url, status, headers, AioBytes(content, headers))


def _choose(
    request: AWSPreparedRequest, protocol: str
) -> tuple[int, dict[str, str], bytes]:
    status, kind, content, more = SHAPES[_find_protocol(request, protocol)]
    if request.method == "HEAD":
        # Only the status says something, as with S3.
        return status, {"x-amzn-requestid": REQUEST_ID}, b""
    headers = {"content-type": kind, "x-amzn-requestid": REQUEST_ID, **more}
    return status, headers, content


def _find_protocol(request: AWSPreparedRequest, protocol: str) -> str:
    header = functools.partial(_find_header, request)
    if header("smithy-protocol") == "rpc-v2-cbor":
        return "cbor"
    if header("x-amz-target"):
        return "json"
    if protocol == "ec2":
        return "ec2"
    if header("content-type").startswith("application/x-www-form-urlencoded"):
        return "query"
    return protocol if protocol in SHAPES else "query"


def _find_header(request: AWSPreparedRequest, name: str) -> str:
    value: Any = request.headers.get(name, "")
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


Shape = tuple[int, str, bytes, "dict[str, str]"]
XML, JSON_TYPE = "text/xml", "application/x-amz-json-1.0"
SHAPES: dict[str, Shape] = {
    "query": (FORBIDDEN, XML, QUERY.encode(), {}),
    "ec2": (BAD_REQUEST, XML, EC2.encode(), {}),
    "s3": (BAD_REQUEST, "application/xml", S3.encode(), {}),
    "rest-xml": (FORBIDDEN, XML, QUERY.encode(), {}),
    "json": (BAD_REQUEST, JSON_TYPE, JSON.encode(), {}),
    "rest-json": (
        FORBIDDEN,
        "application/json",
        REST_JSON.encode(),
        {"x-amzn-errortype": "ExpiredTokenException"},
    ),
    "cbor": (
        BAD_REQUEST,
        "application/cbor",
        CBOR,
        {"smithy-protocol": "rpc-v2-cbor"},
    ),
}
