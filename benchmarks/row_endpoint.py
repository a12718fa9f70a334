"""The endpoint for other engines: an ask, what asks cost in memory, an engine's import."""

from __future__ import annotations

import contextlib
import datetime
import http.client
import http.server
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import botocore_conn_provider
from benchmarks.interpreter import build_environment
from benchmarks.row import Row, compare_surplus, take_turns
from botocore_conn_provider.endpoint.endpoint import Endpoint
from botocore_conn_provider.endpoint.supply import FixedSupply
from botocore_conn_provider.exchange.flow import TemporaryCredentials
from botocore_conn_provider.secret import KeyId, Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ASKS, CONNECTIONS, ROUNDS, IMPORTS = 10_000, 64, 3, 15
ASK_LIMIT_MS, MEMORY_LIMIT_MIB, IMPORT_LIMIT_MS = 2, 5, 25
KEYS = TemporaryCredentials(
    KeyId("ASIAIOSFODNN7EXAMPLE"),
    Secret("s" * 40),
    Secret("t" * 900),
    datetime.datetime(2090, 1, 1, tzinfo=datetime.timezone.utc),
)
AUTOLOAD = Path(botocore_conn_provider.__file__).parent / "startup" / "autoload"
CONNECTION = json.dumps(
    {
        "conn_type": "aws",
        "login": "AKIAIOSFODNN7EXAMPLE",
        "password": "secret",
        "extra": {"role_arn": "arn:aws:iam::123456789012:role/r"},
    }
)
IMPORT = """
import time
began = time.perf_counter()
import pyarrow
print((time.perf_counter() - began) * 1000)
"""


def measure() -> list[Row]:
    """Drive both servers by turns, in processes of their own."""
    rows = []
    with _serve("ours") as ours, _serve("bare") as bare:
        took = take_turns(
            {"ours": partial(_drive, ours), "bare": partial(_drive, bare)},
            rounds=ROUNDS,
        )
        rows.append(
            compare_surplus(
                f"an ask of the endpoint, {ASKS} over {CONNECTIONS} connections",
                took["ours"],
                against="http.server",
                theirs=took["bare"],
                unit="ms",
                limit=ASK_LIMIT_MS,
            )
        )
        before = ours.read_memory()
        _drive(ours)
        rows.append(
            compare_surplus(
                f"memory of the endpoint after {ASKS} asks",
                ours.read_memory(),
                against="before",
                theirs=before,
                unit="MiB",
                limit=MEMORY_LIMIT_MIB,
            )
        )
    if find_spec("pyarrow") is not None:
        rows.append(_measure_import())
    return rows


def _measure_import() -> Row:
    active = {"PYTHONPATH": str(AUTOLOAD), "AIRFLOW_CONN_AWS_DEFAULT": CONNECTION}
    took = take_turns(
        {
            "on": partial(_import, {**active, "BOTOCORE_CONN_ENGINES": "on"}),
            "off": partial(_import, active),
        },
        rounds=IMPORTS,
    )
    return compare_surplus(
        "import pyarrow, engines on",
        took["on"],
        against="engines off",
        theirs=took["off"],
        unit="ms",
        limit=IMPORT_LIMIT_MS,
    )


def _import(environment: Mapping[str, str]) -> float:
    ended = subprocess.run(
        [sys.executable, "-c", IMPORT],
        env=build_environment(environment),
        cwd=os.sep,
        check=True,
        capture_output=True,
        text=True,
    )
    return float(ended.stdout)


class Served:
    """A server in a process of its own, and how it is asked."""

    def __init__(self, pid: int, address: str, token: str) -> None:
        self.pid = pid
        self.port = urlsplit(address).port
        self.path = urlsplit(address).path
        self.token = token

    def read_memory(self) -> float:
        """Return the resident memory in MiB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextlib.contextmanager
def _serve(kind: str) -> Iterator[Served]:
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.row_endpoint", kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        told = process.stdout.readline() if process.stdout else ""
        yield Served(process.pid, *json.loads(told))
        process.kill()


def _drive(served: Served) -> float:
    """Return the median of an ask, in milliseconds."""
    took: list[float] = []

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", served.port)
        headers = {"Authorization": served.token}
        mine = []
        for _ in range(ASKS // CONNECTIONS):
            began = time.perf_counter()
            connection.request("GET", served.path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status == http.HTTPStatus.OK:
                mine.append(time.perf_counter() - began)
        took.extend(mine)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    if len(took) != ASKS // CONNECTIONS * CONNECTIONS:
        raise RuntimeError("some asks failed")
    return statistics.median(took) * 1000


class BareHandler(http.server.BaseHTTPRequestHandler):
    """Answers with as much, and checks nothing."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for an answer, as ours
    body = b"x" * 1100

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def serve(kind: str) -> None:
    """Serve until killed; print the address and the token first."""
    if kind == "ours":
        endpoint = Endpoint(FixedSupply(KEYS))
        told = [endpoint.url, endpoint.token.reveal()]
    else:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), BareHandler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        told = [f"http://127.0.0.1:{server.server_port}/", "none"]
    print(json.dumps(told), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    serve(sys.argv[1])
