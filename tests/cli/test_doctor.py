"""Every fault is named where it lies, with its cause and fix: the cases are data.

A case is `case.json`: the connection, what is put around it, and what must be said.
`@WORDS@` are filled in here.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import stat
import time
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws import Fault, build_error
from tests.cli.conftest import CONNECTION
from tests.loopback import LOOPBACK, serve
from tests.saml.asking import build_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from tests.aws import Aws
    from tests.cli.conftest import Command
    from tests.leaks import Leaks, Secrets
    from tests.saml.realm import Realm

CASES = Path(__file__).parent.parent / "cases" / "doctor"
NAMES = sorted(folder.name for folder in CASES.iterdir())


def build_token(secrets: Secrets, *, issued_in_seconds: float = 0) -> str:
    """Return an ID token, good for an hour from when it is issued."""
    issued_at = int(time.time() + issued_in_seconds)
    claims = {
        "iss": "https://issuer.example.org",
        "aud": "aws",
        "sub": "robot",
        "iat": issued_at,
        "exp": issued_at + 3600,
    }
    header = base64.urlsafe_b64encode(b'{"alg":"RS256"}').decode().rstrip("=")
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{header}.{body}.{secrets.new('signature')}"


class Endpoint:
    """A server that gives everyone the same answer."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self._answer = answer

    def __call__(
        self, _: WSGIEnvironment, start_response: StartResponse
    ) -> list[bytes]:
        date = formatdate(time.time() + self._answer.get("date_seconds", 0), usegmt=True)
        body = self._answer["body"].encode()
        headers = [("Date", date), ("Content-Length", str(len(body)))]
        start_response(f"{self._answer['status']} Said", headers)
        return [body]


class Stage:
    """One case with all that is around it."""

    def __init__(self, name: str, request: pytest.FixtureRequest, folder: Path) -> None:
        self.case: dict[str, Any] = json.loads((CASES / name / "case.json").read_text())
        self._request = request
        self._folder = folder
        self._secrets: Secrets = request.getfixturevalue("secrets")
        self._aws: Aws = request.getfixturevalue("aws")
        self._words = {
            "@AWS@": self._aws.url,
            "@AWS_HTTPS@": self._aws.https_url,
            "@FOLDER@": str(folder),
            "@KEY_ID@": self._secrets.new_access_key_id(),
            "@SECRET@": self._secrets.new("secret key"),
        }

    @contextlib.contextmanager
    def set_up(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
        """Start what the case needs; give the words of the command."""
        case = self.case
        with contextlib.ExitStack() as running:
            if "idp" in case:
                self._start_idp(running, monkeypatch)
            if "server" in case:
                port = running.enter_context(serve(Endpoint(case["server"])))
                self._words["@SERVER@"] = f"http://{LOOPBACK}:{port}"
            self._put_tokens()
            self._inject()
            self._write_files(monkeypatch)
            yield ["--probe", case["probe"]] if "probe" in case else []

    def fill(self, value: Any) -> Any:
        """Replace the words in a text, or in all texts of a document."""
        text = value if isinstance(value, str) else json.dumps(value)
        for word, meant in self._words.items():
            text = text.replace(word, meant)
        return text

    def _start_idp(
        self, running: contextlib.ExitStack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        request, case = self._request, self.case
        request.getfixturevalue("ticket")
        signed = self._secrets.add(request.getfixturevalue("signed"), name="assertion")
        steps = json.loads(json.dumps(case["idp"]))
        for step in steps:
            step["body"] = step.get("body", "").replace("@PAGE@", build_page(signed))
        start = request.getfixturevalue("start_idp")
        idp = running.enter_context(start(*steps, tls_name=case.get("tls")))
        self._words["@IDP@"] = idp.url()
        self._words["@IDP_AS_HTTPS@"] = idp.url().replace("http:", "https:")
        self._words["@IDP_BY_ADDRESS@"] = idp.url("127.0.0.1")
        self._words["@CA@"] = request.getfixturevalue("ca_file")
        if case.get("ticket") is False:
            realm: Realm = request.getfixturevalue("realm")
            monkeypatch.setenv("KRB5CCNAME", realm.new_cache())
            monkeypatch.delenv("KRB5_CLIENT_KTNAME")

    def _put_tokens(self) -> None:
        for word, seconds in (("", 0), ("_OLD", -7200), ("_FUTURE", 7200)):
            token = build_token(self._secrets, issued_in_seconds=seconds)
            self._words[f"@TOKEN{word}@"] = token

    def _inject(self) -> None:
        fault = self.case.get("aws")
        if fault is None:
            return
        body = fault.get("body", "")
        if "code" in fault:
            body = build_error(fault["code"], fault["message"])
        made = Fault(fault.get("status"), body)
        made = made._replace(expires_in_seconds=fault.get("expires_in_seconds"))
        self._aws.inject(made, times=9)

    def _write_files(self, monkeypatch: pytest.MonkeyPatch) -> None:
        case = self.case
        for name, content in case.get("files", {}).items():
            (self._folder / name).write_text(self.fill(content))
        if "config" in case:
            home: Path = self._request.getfixturevalue("isolated")
            (home / ".aws" / "config").write_text(self.fill(case["config"]))
        for name, value in case.get("environ", {}).items():
            monkeypatch.setenv(name, self.fill(value))
        if "connection" in case:
            monkeypatch.setenv(CONNECTION, self.fill(case["connection"]))


@pytest.fixture
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    folder = tmp_path / "stage"
    folder.mkdir()
    return Stage(request.param, request, folder)


@pytest.mark.parametrize("stage", NAMES, indirect=True)
def test_fault_is_named_where_it_lies(
    stage: Stage, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stage.set_up(monkeypatch) as words:
        said = command("doctor", "--json", *words)

    report = json.loads(said.out)
    last = report["hops"][-1]
    assert last["hop"] == stage.case["hop"], last
    assert stage.fill(stage.case["cause"]) in last["cause"]
    assert stage.case["fix"] in f"{last['fix']} {last['cause']}"
    assert said.code == stage.case["exit"]
    assert [hop["good"] for hop in report["hops"][:-1]] == [True] * (
        len(report["hops"]) - 1
    )
    assert not report["good"]
    assert said.err == ""


def test_there_are_forty_faults_and_more() -> None:
    assert len(NAMES) >= 40
