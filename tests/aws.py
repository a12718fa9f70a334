"""AWS on loopback: moto's server, behind a recorder of what it was sent.

The tests assert on these records, so a record says what AWS would have seen:
who signed, for which service and region, which action with which parameters,
on which host, by which way.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import re
import threading
from collections import deque
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    create_backend_app,
)
from werkzeug.test import Client

from tests.leaks import Secrets
from tests.loopback import LOOPBACK, serve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from tests.certificates import Certificates

STS_VERSION = "2011-06-15"
ISSUED_TAGS = ("AccessKeyId", "SecretAccessKey", "SessionToken")
SCOPE = re.compile(
    r"Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]*)/(?P<service>[^/]+)/aws4_request"
)


class AwsRequest(NamedTuple):
    """One request as AWS saw it. Unsigned: no service, region or key id.

    `parameters` are those of the query protocol without Action and Version.
    `through_proxy` is whether the request line named the whole URL, as clients
    write it to a proxy of plain HTTP.
    """

    method: str
    scheme: str
    host: str
    path: str
    service: str | None
    region: str | None
    access_key_id: str | None
    security_token: str | None
    action: str | None
    parameters: dict[str, str]
    user_agent: str
    through_proxy: bool
    headers: dict[str, str]

    @property
    def is_sts(self) -> bool:
        return self.service == "sts" or (self.action or "").startswith("AssumeRole")


class Fault(NamedTuple):
    """What goes wrong with an STS call. All that is not set goes as usual.

    `status` and `body` replace the answer. `delay_seconds` and `until` hold it
    back. `expires_in_seconds`, negative for one that has expired already,
    replaces the expiry of the credentials.
    """

    status: int | None = None
    body: str = ""
    delay_seconds: float = 0
    until: threading.Event | None = None
    expires_in_seconds: float | None = None


class IssuedKeys(NamedTuple):
    """What STS issued, which is a secret."""

    access_key_id: str
    secret_access_key: str
    session_token: str


def build_error(code: str, message: str = "forced by a test") -> str:
    """Return the body of an STS error."""
    return (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>'
        f"<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        "<RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"
    )


class Aws:
    """The embedded AWS. Its state is moto's, and starts empty with each test.

    `issued` has the key ids of the sets that STS has given out, and when they end, in
    seconds since 1970.
    """

    url: str
    https_url: str

    def __init__(self, certificates: Certificates) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._certificates = certificates
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self.ca_file = certificates.ca_file
        self.start_anew(Secrets())

    def start_anew(self, secrets: Secrets) -> None:
        """Forget everything; what is issued from now on is added to `secrets`."""
        Client(self._moto).post("/moto-api/reset")
        with self._lock:
            self.requests: list[AwsRequest] = []
            self.issued: dict[str, float] = {}
            self.issued_keys: list[IssuedKeys] = []
            self._faults: deque[Fault] = deque()
            self._secrets = secrets

    @property
    def sts_requests(self) -> list[AwsRequest]:
        """Those that ask for credentials (and GetCallerIdentity)."""
        return [request for request in self.requests if request.is_sts]

    def inject(self, fault: Fault, *, times: int = 1) -> None:
        """Let `fault` happen to the next AssumeRole* calls, after those waiting."""
        with self._lock:
            self._faults.extend([fault] * times)

    @contextlib.contextmanager
    def serve(self) -> Iterator[Aws]:
        """Run on two ports, one of HTTP and one of HTTPS."""
        with serve(self) as port, serve(self, self._certificates.tls()) as tls_port:
            self.url = f"http://{LOOPBACK}:{port}"
            self.https_url = f"https://{LOOPBACK}:{tls_port}"
            yield self
            self._closing.set()

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        request = read_request(environ)
        with self._lock:
            self.requests.append(request)
            asks = (request.action or "").startswith("AssumeRole")
            fault = self._faults.popleft() if asks and self._faults else Fault()
            secrets = self._secrets
        self._hold_back(fault)
        if fault.status is not None:
            return answer(fault.status, fault.body, start_response)
        if not asks:
            plain: Iterable[bytes] = self._moto(environ, start_response)
            return plain
        return self._issue(environ, start_response, fault=fault, secrets=secrets)

    def stop_faults(self) -> None:
        """Forget the faults that have not happened yet."""
        with self._lock:
            self._faults.clear()

    def _hold_back(self, fault: Fault) -> None:
        if fault.delay_seconds:
            self._closing.wait(fault.delay_seconds)
        if fault.until:
            fault.until.wait(timeout=60)

    def _issue(
        self,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        *,
        fault: Fault,
        secrets: Secrets,
    ) -> list[bytes]:
        """Let moto answer, note what it issued, set the expiry."""
        client = Client(self._moto)
        given = client.open(environ_overrides=environ)
        body = given.get_data(as_text=True)
        note_issued(body, secrets)
        if fault.expires_in_seconds is not None:
            body = set_expiry(body, fault.expires_in_seconds)
        with self._lock:
            self.issued |= read_issued(body)
            self.issued_keys.extend(read_issued_keys(body))
        return answer(given.status_code, body, start_response)


def answer(status: int, body: str, start_response: StartResponse) -> list[bytes]:
    content = body.encode()
    length = ("Content-Length", str(len(content)))
    start_response(f"{status} Said", [("Content-Type", "text/xml"), length])
    return [content]


def note_issued(body: str, secrets: Secrets) -> None:
    """Register the credentials in an STS answer as secrets."""
    for tag, named in (("AccessKeyId", True), ("SessionToken", True)):
        for text in re.findall(f"<{tag}>(.*?)</{tag}>", body):
            secrets.add(text, name=f"issued {tag}", in_user_calls=named)
    for text in re.findall("<SecretAccessKey>(.*?)</SecretAccessKey>", body):
        secrets.add(text, name="issued SecretAccessKey")


def read_issued(body: str) -> dict[str, float]:
    """Return the key id in an STS answer and its end; nothing for another answer."""
    key_ids = re.findall("<AccessKeyId>(.*?)</AccessKeyId>", body)
    ends = re.findall("<Expiration>(.*?)</Expiration>", body)
    return {
        key_id: datetime.datetime.fromisoformat(end.replace("Z", "+00:00")).timestamp()
        for key_id, end in zip(key_ids, ends, strict=True)
    }


def read_issued_keys(body: str) -> list[IssuedKeys]:
    """Return the credentials in an STS answer, in the order of their parts."""
    parts = (re.search(f"<{tag}>(.*?)</{tag}>", body) for tag in ISSUED_TAGS)
    found = [part[1] for part in parts if part]
    return [IssuedKeys(*found)] if found else []


def set_expiry(body: str, seconds_from_now: float) -> str:
    expires_at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(
        seconds=seconds_from_now
    )
    text = expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return re.sub(
        "<Expiration>.*?</Expiration>", f"<Expiration>{text}</Expiration>", body
    )


def read_request(environ: WSGIEnvironment) -> AwsRequest:
    """Read what AWS would see, and leave the body to be read again."""
    if environ.pop("HTTP_TRANSFER_ENCODING", "") == "chunked":
        body = environ["wsgi.input"].read()
        environ["CONTENT_LENGTH"] = str(len(body))
    else:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    headers = {
        name[5:].replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    form = "x-www-form-urlencoded" in environ.get("CONTENT_TYPE", "")
    sent = environ["QUERY_STRING"] + ("&" + body.decode() if form else "")
    parameters = dict(parse_qsl(sent, keep_blank_values=True))
    parameters.pop("Version", None)
    scope = SCOPE.search(headers.get("authorization", "")) or SCOPE.search(
        f"Credential={parameters.get('X-Amz-Credential', '')}"
    )
    return AwsRequest(
        method=environ["REQUEST_METHOD"],
        scheme=environ["wsgi.url_scheme"],
        host=headers.get("host", ""),
        path=environ["PATH_INFO"],
        service=scope and scope["service"],
        region=scope and scope["region"],
        access_key_id=scope and scope["key"],
        security_token=headers.get("x-amz-security-token")
        or parameters.get("X-Amz-Security-Token"),
        action=parameters.pop("Action", None),
        parameters=parameters,
        user_agent=headers.get("user-agent", ""),
        through_proxy=environ.get("REQUEST_URI", "").startswith("http"),
        headers=headers,
    )
