"""What the libraries talk to: it looks at each signature, and answers a little.

A signature that is not of one set that STS issued is refused with 403, as AWS does.
"""

from __future__ import annotations

import contextlib
import io
import json
from typing import TYPE_CHECKING, Any

from tests.aws import read_request
from tests.loopback import LOOPBACK, serve
from tests.signers.signatures import Sent, Signed, check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from tests.aws import Aws

CONVERSE = {
    "output": {"message": {"role": "assistant", "content": [{"text": "yes"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
    "metrics": {"latencyMs": 1},
}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [{"type": "text", "text": "yes"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
# S3 and Redshift are moto's.
MOTOS = ("s3", "redshift")


class Service:
    """AWS's services on one port. `requests` are those that came, signed or not.

    `is_busy_for` is how many of the next ones are answered with 503.
    """

    url: str

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self.aws_url = aws.url
        self.requests: list[tuple[Sent, Signed | None]] = []
        self.is_busy_for = 0

    @contextlib.contextmanager
    def serve(self) -> Iterator[Service]:
        with serve(self) as port:
            self.url = f"http://{LOOPBACK}:{port}"
            yield self

    @property
    def key_ids(self) -> list[str]:
        """Of all requests; a claim about them is one about their signatures, too."""
        assert all(signed and signed.is_right for _, signed in self.requests)
        return [signed.key_id for _, signed in self.requests if signed]

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        sent = read_sent(environ)
        signed = check(sent, self._aws.issued_keys)
        self.requests.append((sent, signed))
        if signed and signed.is_right and signed.service in MOTOS:
            return self._aws(environ, start_response)
        status = "200 OK" if signed and signed.is_right else "403 Forbidden"
        if self.is_busy_for:
            self.is_busy_for -= 1
            status = "503 Service Unavailable"
        content = json.dumps(answer(environ["PATH_INFO"])).encode()
        start_response(
            status,
            [
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(content))),
            ],
        )
        return [content]


def answer(path: str) -> dict[str, Any]:
    if path.endswith("/converse"):
        return CONVERSE
    return MESSAGE if path.endswith("/invoke") else {}


def read_sent(environ: WSGIEnvironment) -> Sent:
    """Read a request, and leave the body to be read again."""
    seen = read_request(environ)
    body = environ["wsgi.input"].read()
    environ["wsgi.input"] = io.BytesIO(body)
    headers = dict(seen.headers)
    if "CONTENT_TYPE" in environ:
        headers["content-type"] = environ["CONTENT_TYPE"]
    if "CONTENT_LENGTH" in environ:
        headers["content-length"] = environ["CONTENT_LENGTH"]
    return Sent(
        seen.method, f"http://{seen.host}{environ['REQUEST_URI']}", headers, body
    )
