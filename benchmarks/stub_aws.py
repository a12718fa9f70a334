"""An STS and an S3 that answer at once, in a process of their own.

moto takes milliseconds to answer, which would hide what is compared here.
`python -m benchmarks.stub_aws` prints its port and serves until it is killed.
It counts what is asked of its STS; `read_asked` returns the figure.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPBACK = "127.0.0.1"
COUNT = "/asked"
BUCKETS = (
    '<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<Owner><ID>o</ID></Owner><Buckets/></ListAllMyBucketsResult>"
)
ROLE = (
    '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
    "<AssumeRoleResult><AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId>"
    "<Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn></AssumedRoleUser>"
    "<Credentials><AccessKeyId>ASIABENCHMARKBENCHMA</AccessKeyId>"
    "<SecretAccessKey>issued-secret</SecretAccessKey>"
    "<SessionToken>issued-token</SessionToken><Expiration>{expiration}</Expiration>"
    "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
)


class Handler(BaseHTTPRequestHandler):
    """Give a role to who posts, and no buckets to who asks for them."""

    protocol_version = "HTTP/1.1"
    # Header and body in one segment: two would wait for the client's delayed ACK.
    wbufsize = -1
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self._answer(str(len(self.asked)) if self.path == COUNT else BUCKETS)

    def do_POST(self) -> None:
        self.asked.append(self.path)  # atomic: each request has a thread
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        ends = dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=1)
        self._answer(ROLE.format(expiration=ends.strftime("%Y-%m-%dT%H:%M:%SZ")))

    def _answer(self, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: standard error is the table's."""


@contextlib.contextmanager
def run_stub_aws() -> Iterator[str]:
    """Run the stub in a process of its own; yield its URL."""
    command = [sys.executable, "-m", "benchmarks.stub_aws"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        port = process.stdout.readline().strip() if process.stdout else ""
        try:
            yield f"http://{LOOPBACK}:{port}"
        finally:
            process.terminate()


def read_asked(url: str) -> int:
    """Return how many calls the STS of the stub at `url` has had."""
    with urlopen(f"{url}{COUNT}") as answer:  # noqa: S310 - our own server
        return int(answer.read())


class Server(ThreadingHTTPServer):
    """Many may knock at once."""

    request_queue_size = 128


def main() -> None:
    """Serve, and say where."""
    server = Server((LOOPBACK, 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
