"""Every fault is named where it lies, with its cause and fix: the cases are data.

A case is `case.json`: the connection, what is put around it, and what must be said.
`@WORDS@` are filled in here.
"""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import stat
import threading
import time
import warnings
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from botocore.exceptions import NoRegionError

from botocore_conn_provider.cli.doctor.step import Step, run_step
from tests.aws import Fault, build_error
from tests.cli.conftest import CONNECTION, ROLE
from tests.federation.saml.asking import build_page
from tests.federation.saml.signing import PROVIDER, sign_response
from tests.loopback import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    import trustme
    from _pytest.mark import ParameterSet

    from tests.aws import Aws
    from tests.cli.conftest import Command
    from tests.federation.saml.parts import StartIdp
    from tests.federation.saml.realm import Realm
    from tests.leaks import Leaks, Secrets

CASES = Path(__file__).parent.parent / "cases" / "doctor"
NAMES = sorted(folder.name for folder in CASES.iterdir())


def list_cases() -> list[ParameterSet]:
    """Return all cases; those with an IdP sign in, and so need Kerberos."""
    return [
        pytest.param(name, marks=[pytest.mark.kerberos] * ("idp" in read_case(name)))
        for name in NAMES
    ]


def read_case(name: str) -> dict[str, Any]:
    case: dict[str, Any] = json.loads((CASES / name / "case.json").read_text())
    return case


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


@contextlib.contextmanager
def serve_answer(answer: dict[str, Any]) -> Iterator[str]:
    """Run a server that gives everyone the same answer; give its URL.

    Not WSGI's: that has a Date of its own.
    """

    class Everyone(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            date = formatdate(time.time() + answer.get("date_seconds", 0), usegmt=True)
            self.send_response_only(answer["status"])
            if answer.get("tells_time", True):
                self.send_header("Date", date)
            self.end_headers()
            self.wfile.write(answer["body"].encode())

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer((LOOPBACK, 0), Everyone) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://{LOOPBACK}:{server.server_port}"
        server.shutdown()


class Stage:
    """One case with all that is around it."""

    def __init__(self, name: str, request: pytest.FixtureRequest, folder: Path) -> None:
        self.case = read_case(name)
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
                serving = serve_answer(case["server"])
                self._words["@SERVER@"] = running.enter_context(serving)
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


@pytest.mark.parametrize("stage", list_cases(), indirect=True)
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


ROLE_CONNECTION = {
    "login": "@KEY_ID@",
    "password": "@SECRET@",
    "extra": {
        "role_arn": ROLE,
        "region_name": "eu-west-1",
        "service_config": {"sts": {"endpoint_url": "@AWS@"}},
    },
}


def give(
    secrets: Secrets, aws: Aws, monkeypatch: pytest.MonkeyPatch, document: Any
) -> None:
    text = json.dumps(document).replace("@AWS@", aws.url)
    text = text.replace("@KEY_ID@", secrets.new_access_key_id())
    monkeypatch.setenv(CONNECTION, text.replace("@SECRET@", secrets.new("secret key")))


def test_good_role_is_followed_to_its_caller(
    command: Command, aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = json.loads(json.dumps(ROLE_CONNECTION))
    document["extra"]["endpoint_url"] = "@AWS@"
    give(secrets, aws, monkeypatch, document)

    said = command("doctor", "--probe", "s3")

    assert said.code == 0
    hops = [line.split(" (")[0] for line in said.out.splitlines() if line[0] in "✓✗"]
    assert hops == [
        "✓ variable",
        "✓ parsing",
        "✓ this machine",
        "✓ neighbours",
        "✓ base identity",
        "✓ STS",
        "✓ clock",
        "✓ exchange",
        "✓ caller identity",
        "✓ probe of s3",
    ]
    assert "assumed-role/analyst/airflow_aws_default" in said.out
    actions = [request.action for request in aws.sts_requests]
    assert actions == ["AssumeRole", "GetCallerIdentity"]


@pytest.mark.kerberos
def test_good_sign_in_is_followed_to_its_caller(
    command: Command,
    aws: Aws,
    start_idp: StartIdp,
    ca: trustme.CA,
    ticket: str,  # noqa: ARG001 - being in the realm
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    signed = sign_response(tmp_path, ca, grants=(f"{ROLE},{PROVIDER}",))
    with start_idp({"sign_in": True, "body": build_page(signed)}) as idp:
        sign_in = {"idp_url": idp.url(), "idp_auth_method": "http_spegno_auth"}
        extra = {
            "role_arn": ROLE,
            "region_name": "eu-west-1",
            "assume_role_method": "assume_role_with_saml",
            "assume_role_with_saml": sign_in,
            "service_config": {"sts": {"endpoint_url": aws.url}},
        }
        monkeypatch.setenv(CONNECTION, json.dumps({"extra": extra}))
        said = command("doctor")

    assert said.code == 0, said.out
    assert "principal user@CORP.TEST" in said.out
    assert "service HTTP/idp.corp.test" in said.out
    assert "saml-provider/corp" in said.out
    assert aws.sts_requests[0].action == "AssumeRoleWithSAML"


@pytest.mark.parametrize("opaque", [False, True])
def test_good_token_is_followed_to_its_caller(
    command: Command,
    aws: Aws,
    secrets: Secrets,
    opaque: bool,  # noqa: FBT001 - a case
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    token = tmp_path / "token"
    token.write_text(secrets.new("opaque") if opaque else build_token(secrets))
    extra = {
        "role_arn": ROLE,
        "region_name": "eu-west-1",
        "assume_role_method": "assume_role_with_web_identity",
        "assume_role_with_web_identity_federation": "file",
        "assume_role_with_web_identity_token_file": str(token),
        "service_config": {"sts": {"endpoint_url": aws.url}},
    }
    monkeypatch.setenv(CONNECTION, json.dumps({"extra": extra}))

    said = command("doctor")

    assert said.code == 0, said.out
    compared = "AWS compares issuer.example.org:sub = robot"
    assert (compared in said.out) is not opaque
    assert ("STS alone can tell" in said.out) is opaque


def test_endpoint_without_sts_is_no_fault(
    command: Command, aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"status": 400, "body": build_error("InvalidParameterValue")}
    with serve_answer({**answer, "tells_time": False}) as url:
        document = {
            "login": "@KEY_ID@",
            "password": "@SECRET@",
            "extra": {"endpoint_url": url, "region_name": "us-east-1"},
        }
        give(secrets, aws, monkeypatch, document)
        said = command("doctor")

    assert said.code == 0
    assert f"{url} has no STS (InvalidParameterValue)" in said.out
    assert "the server tells no time" in said.out


def test_endpoint_that_speaks_html_is_no_fault(
    command: Command, aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_answer({"status": 200, "body": "<html>"}) as url:
        document = {
            "login": "@KEY_ID@",
            "password": "@SECRET@",
            "extra": {"endpoint_url": url, "region_name": "us-east-1"},
        }
        give(secrets, aws, monkeypatch, document)
        said = command("doctor")

    assert said.code == 0
    assert "has no STS" in said.out


def test_unsigned_connection_has_no_caller(
    command: Command, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = {
        "region_name": "us-east-1",
        "endpoint_url": aws.url,
        "config_kwargs": {"signature_version": "unsigned"},
    }
    monkeypatch.setenv(CONNECTION, json.dumps({"extra": extra}))

    said = command("doctor", "--json")

    assert [hop["hop"] for hop in json.loads(said.out)["hops"]][-2:] == ["STS", "clock"]
    assert said.code == 0


def test_bundle_is_private_and_holds_no_secret(
    command: Command,
    aws: Aws,
    secrets: Secrets,
    leaks: Leaks,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    give(secrets, aws, monkeypatch, ROLE_CONNECTION)
    path = tmp_path / "bundle.json"

    command("doctor", "--bundle", str(path))

    bundle = json.loads(path.read_text())
    leaks.check_text(path.read_text(), place="the bundle")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(bundle) == {"versions", "doctor", "explain"}
    assert bundle["doctor"]["good"]
    assert bundle["explain"]["connection"]["id"] == "aws_default"


def test_bundle_of_a_wrong_connection_says_what_is_wrong(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(CONNECTION, '{"extra": {"role_arn": ""}}')
    path = tmp_path / "bundle.json"

    command("doctor", "--bundle", str(path))

    assert "'role_arn' is empty" in json.loads(path.read_text())["explain"]["error"]


@pytest.mark.parametrize("place", ["/no/such/{}", "{}\0", ".", "/dev/full"])
def test_bundle_that_cannot_be_written_is_told_without_its_name(
    place: str,
    command: Command,
    secrets: Secrets,
    leaks: Leaks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(CONNECTION, '{"extra": {"role_arn": ""}}')
    said = command("doctor", "--bundle", place.format(secrets.new("password")))
    leaks.check_text(said.err, place="standard error")
    assert "the file of --bundle cannot be written" in said.err
    assert said.code == 1


def test_identity_of_a_profile_is_followed(
    command: Command,
    aws: Aws,
    secrets: Secrets,
    isolated: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (isolated / ".aws" / "config").write_text(
        f"[profile p]\naws_access_key_id = {secrets.new_access_key_id()}\n"
        f"aws_secret_access_key = {secrets.new('secret key')}\n"
        f"aws_session_token = {secrets.new_session_token()}\nregion = eu-west-1\n"
    )
    extra = {"profile_name": "p", "endpoint_url": aws.url}
    monkeypatch.setenv(CONNECTION, json.dumps({"extra": extra}))

    said = command("doctor")

    assert said.code == 0
    assert "profile 'p': …" in said.out
    assert "with a session token" in said.out


def test_identity_of_the_chain_is_followed(
    command: Command, aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", secrets.new_access_key_id())
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secrets.new("secret key"))
    monkeypatch.setenv("BOTOCORE_CONN_DISABLE", "1")
    extra = {"region_name": "eu-west-1", "endpoint_url": aws.url}
    monkeypatch.setenv(CONNECTION, json.dumps({"extra": extra}))

    said = command("doctor")

    assert said.code == 0
    assert "botocore's own chain (env): …" in said.out
    assert "BOTOCORE_CONN_DISABLE is set" in said.out


def test_nonsense_for_sts_is_a_fault_where_the_connection_names_no_endpoint(
    command: Command, aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_answer({"status": 200, "body": "<html>"}) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        document = {
            "login": "@KEY_ID@",
            "password": "@SECRET@",
            "extra": {"region_name": "us-east-1"},
        }
        give(secrets, aws, monkeypatch, document)
        said = command("doctor")

    assert said.code == 1
    assert "what answers for STS is not STS" in said.out


@pytest.mark.kerberos
@pytest.mark.usefixtures("ticket")
@pytest.mark.parametrize("verify", ["file", "nothing"])
def test_way_to_an_idp_over_tls_is_told(
    verify: str,
    command: Command,
    start_idp: StartIdp,
    ca_file: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = {"body": "<html>"}
    with start_idp(page, tls_name="idp.corp.test") as idp:
        sign_in = {
            "idp_url": idp.url(),
            "idp_auth_method": "http_spegno_auth",
            "idp_request_kwargs": {"verify": ca_file if verify == "file" else False},
        }
        extra = {
            "role_arn": ROLE,
            "assume_role_method": "assume_role_with_saml",
            "assume_role_with_saml": sign_in,
        }
        monkeypatch.setenv(CONNECTION, json.dumps({"extra": extra}))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # urllib3's, of verify: false
            said = command("doctor")

    named = "certificate by trustme" if verify == "file" else "by not checked"
    assert "TLSv1" in said.out
    assert named in said.out
    assert "✗ page" in said.out


def test_kind_of_googles_credentials_is_told(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = tmp_path / "key.json"
    user = {
        "type": "authorized_user",
        "client_id": "id",
        "client_secret": "s",
        "refresh_token": "r",
        "token_uri": "http://127.0.0.1:9",
    }
    key.write_text(json.dumps(user))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    extra = {
        "role_arn": ROLE,
        "assume_role_method": "assume_role_with_web_identity",
        "assume_role_with_web_identity_federation": "google",
        "assume_role_with_web_identity_federation_audience": "id",
    }
    monkeypatch.setenv(CONNECTION, json.dumps({"extra": extra}))

    said = command("doctor")

    assert ": authorized_user" in said.out
    assert "✗ token (" in said.out


def test_error_of_the_host_is_told_by_its_kind() -> None:
    def look() -> NoReturn:
        raise NoRegionError

    outcome = run_step(Step("x", look))

    assert (outcome.cause, outcome.exit_code) == (
        "NoRegionError: You must specify a region.",
        1,
    )
