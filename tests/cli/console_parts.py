"""The console command, and AWS's federation endpoint under the names that it has."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from botocore_conn_provider.cli.main import main
from tests.cli.conftest import CONNECTION, ROLE, Said
from tests.loopback import LOOPBACK, serve

if TYPE_CHECKING:
    import io
    from collections.abc import Iterable, Iterator

    import pytest
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from tests.aws import Aws
    from tests.certificates import Certificates
    from tests.leaks import Leaks, Secrets

GLOBAL = "signin.aws.amazon.com"


class Asked(NamedTuple):
    """One request as the endpoint saw it."""

    method: str
    host: str
    path: str
    query: str
    form: dict[str, str]


class FederationEndpoint:
    """Answers every request the same, and keeps it. The way to it is a `Proxy`.

    With `quotes` it answers what it was sent.
    """

    def __init__(self, body: str, status: str = "200 OK", **headers: str) -> None:
        self.requests: list[Asked] = []
        self.status, self.body, self.headers = status, body, headers
        self.quotes = False
        self.url = f"http://{LOOPBACK}:1"  # nobody is to come by plain HTTP

    @contextlib.contextmanager
    def serve(self, certificates: Certificates) -> Iterator[FederationEndpoint]:
        with serve(self, certificates.tls()) as port:
            self.https_url = f"https://{LOOPBACK}:{port}"
            yield self

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        stream: io.BufferedIOBase = environ["wsgi.input"]
        sent = stream.read(length)
        asked = Asked(
            environ["REQUEST_METHOD"],
            environ["HTTP_HOST"],
            environ["PATH_INFO"],
            environ["QUERY_STRING"],
            dict(parse_qsl(sent.decode())),
        )
        self.requests.append(asked)
        content = sent if self.quotes else self.body.encode()
        headers = {"Content-Length": str(len(content)), **self.headers}
        start_response(self.status, list(headers.items()))
        return [content]


class Console:
    """The command in this process, on its way to AWS's real names.

    Its connection has a role, keys of a user, and the proxy and the authority that lead
    to `endpoint`. What it prints on standard output is its purpose.
    """

    def __init__(
        self,
        aws: Aws,
        secrets: Secrets,
        leaks: Leaks,
        capfd: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self._aws, self._leaks = aws, leaks
        self._captured, self._patch = capfd, monkeypatch
        self.keys: dict[str, str] = {
            "login": secrets.new_access_key_id(),
            "password": secrets.new("secret key"),
        }
        self.token = secrets.new("sign-in token")
        self.endpoint = FederationEndpoint(json.dumps({"SigninToken": self.token}))
        self.proxy = ""
        monkeypatch.setenv("BOTOCORE_CONN_STORE", "off")

    def set_connection(self, **changed: Any) -> None:
        """Set the connection; None takes a field away."""
        extra = {
            "role_arn": ROLE,
            "region_name": "eu-west-1",
            "service_config": {"sts": {"endpoint_url": self._aws.url}},
            "config_kwargs": {"proxies": {"https": self.proxy}},
            "verify": self._aws.ca_file,
            **changed,
        }
        given = {name: value for name, value in extra.items() if value is not None}
        self._patch.setenv(CONNECTION, json.dumps({**self.keys, "extra": given}))

    def __call__(self, *words: str) -> Said:
        self._captured.readouterr()
        code = main(["console", *words])
        out, err = self._captured.readouterr()
        self._leaks.check_text(err, place="standard error")
        return Said(out, err, code)

    def read_address(self, *words: str) -> tuple[str, dict[str, str]]:
        """Return the host of the printed address, and its parameters."""
        said = self(*words)
        assert said.code == 0, said.err
        assert said.out.count("\n") == 1
        address = urlsplit(said.out.strip())
        assert (address.scheme, address.path) == ("https", "/federation")
        return address.netloc, dict(parse_qsl(address.query))

    def read_destination(self, *words: str) -> str:
        return self.read_address(*words)[1]["Destination"]
