"""An address that signs a browser in to the AWS console."""

from __future__ import annotations

import http.client
import json
import os
import re
import sys
import threading
import webbrowser
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from botocore_conn_provider.cli.console.browser import Redirection, open_once
from botocore_conn_provider.cli.console.partition import HOSTS
from botocore_conn_provider.cli.main import main
from botocore_conn_provider.errors import ConnProviderError
from botocore_conn_provider.secret import Secret
from tests import faulty_servers
from tests.aws import Fault, build_error
from tests.cli.conftest import CONNECTION, ROLE, Said
from tests.cli.console_parts import FederationEndpoint
from tests.ways import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.aws import Aws
    from tests.certificates import Certificates
    from tests.leaks import Leaks, Secrets

GLOBAL = "signin.aws.amazon.com"


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


@pytest.fixture
def console(
    aws: Aws,
    secrets: Secrets,
    leaks: Leaks,
    certificates: Certificates,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Console]:
    made = Console(aws, secrets, leaks, capfd, monkeypatch)
    with made.endpoint.serve(certificates) as endpoint, Proxy(endpoint).serve() as way:
        made.proxy = way.url
        made.set_connection()
        yield made


def test_address_has_the_sign_in_token(console: Console) -> None:
    host, parameters = console.read_address()
    assert host == GLOBAL
    assert parameters == {
        "Action": "login",
        "Issuer": "botocore-conn",
        "Destination": "https://console.aws.amazon.com/console/home?region=eu-west-1",
        "SigninToken": console.token,
    }


def test_credentials_of_the_role_are_sent_in_the_body(console: Console) -> None:
    console()
    [asked] = console.endpoint.requests
    session = json.loads(asked.form["Session"])
    assert (asked.method, asked.host, asked.path) == ("POST", GLOBAL, "/federation")
    assert asked.query == ""
    assert set(asked.form) == {"Action", "Session"}
    assert asked.form["Action"] == "getSigninToken"
    assert set(session) == {"sessionId", "sessionKey", "sessionToken"}
    assert session["sessionId"].startswith("ASIA")
    assert session["sessionKey"] != console.keys["password"]


def test_address_is_told_to_be_a_secret_that_ends(console: Console) -> None:
    assert re.fullmatch(
        r"botocore-conn: this address is a secret: it signs in whoever has it, for 15"
        r" minutes\. The console session ends with its credentials, at 20\S+Z\.\n",
        console().err,
    )


@pytest.mark.parametrize(
    ("role_arn", "region", "sign_in", "page"),
    [
        (
            "arn:aws-us-gov:iam::123456789012:role/r",
            "us-gov-west-1",
            "signin.amazonaws-us-gov.com",
            "https://console.amazonaws-us-gov.com/s3/home?region=us-gov-west-1",
        ),
        (
            "arn:aws-cn:iam::123456789012:role/r",
            "cn-north-1",
            "signin.amazonaws.cn",
            "https://console.amazonaws.cn/s3/home?region=cn-north-1",
        ),
        (
            "arn:aws-eusc:iam::123456789012:role/r",
            "eusc-de-east-1",
            "eusc-de-east-1.signin.amazonaws-eusc.eu",
            "https://console.amazonaws-eusc.eu/s3/home?region=eusc-de-east-1",
        ),
        # A region that the installed botocore does not know.
        (
            "arn:aws-eusc:iam::123456789012:role/r",
            "nowhere-1",
            "eusc-de-east-1.signin.amazonaws-eusc.eu",
            "https://console.amazonaws-eusc.eu/s3/home?region=eusc-de-east-1",
        ),
        (
            "arn:aws:iam::123456789012:role/r",
            "nowhere-1",
            GLOBAL,
            "https://console.aws.amazon.com/s3/home",
        ),
        # STS takes it for a region.
        (
            "arn:aws:iam::123456789012:role/r",
            "aws-global",
            GLOBAL,
            "https://console.aws.amazon.com/s3/home",
        ),
    ],
)
def test_each_partition_has_its_console(
    console: Console, role_arn: str, region: str, sign_in: str, page: str
) -> None:
    console.set_connection(role_arn=role_arn, region_name=region)
    host, parameters = console.read_address("--service", "s3")
    assert (host, parameters["Destination"]) == (sign_in, page)
    assert [asked.host for asked in console.endpoint.requests] == [sign_in]


@pytest.mark.parametrize(
    ("role_arn", "region", "said"),
    [
        (
            "arn:aws-cn:iam::123456789012:role/r",
            "eu-west-1",
            "'region_name' is a region of aws, and the role is of aws-cn.",
        ),
        (
            "arn:aws:iam::123456789012:role/r",
            "us-gov-west-1",
            "'region_name' is a region of aws-us-gov, and the role is of aws.",
        ),
        (
            "arn:aws-iso:iam::123456789012:role/r",
            None,
            "'role_arn' is of the partition aws-iso, whose console is not known",
        ),
    ],
)
def test_partitions_that_do_not_fit_are_refused_before_anything_is_sent(
    console: Console, aws: Aws, role_arn: str, region: str | None, said: str
) -> None:
    console.set_connection(role_arn=role_arn, region_name=region)
    ended = console()
    assert (ended.out, ended.code) == ("", 3)
    assert said in ended.err
    assert (aws.requests, console.endpoint.requests) == ([], [])


def test_without_a_region_and_a_role_there_is_no_console(
    console: Console, secrets: Secrets
) -> None:
    token = secrets.new_session_token()
    console.set_connection(role_arn=None, region_name=None, aws_session_token=token)
    ended = console()
    assert (ended.out, ended.code) == ("", 3)
    assert "'region_name' does not tell in which partition" in ended.err
    assert console.endpoint.requests == []


def test_region_of_the_environment_counts(
    console: Console, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "cn-north-1")
    token = secrets.new_session_token()
    console.set_connection(role_arn=None, region_name=None, aws_session_token=token)
    assert console.read_address()[0] == "signin.amazonaws.cn"


def test_temporary_keys_of_the_connection_are_sent_as_they_are(
    console: Console, secrets: Secrets
) -> None:
    token = secrets.new_session_token()
    console.set_connection(role_arn=None, aws_session_token=token)
    assert console().err.endswith("The console session ends with its credentials.\n")
    session = json.loads(console.endpoint.requests[0].form["Session"])
    assert session == {
        "sessionId": console.keys["login"],
        "sessionKey": console.keys["password"],
        "sessionToken": token,
    }


def test_keys_of_a_user_are_refused_with_what_to_do(console: Console, aws: Aws) -> None:
    console.set_connection(role_arn=None)
    ended = console()
    assert (ended.out, ended.code) == ("", 1)
    assert "its keys have no session token" in ended.err
    assert "Give the connection a 'role_arn'" in ended.err
    assert (aws.requests, console.endpoint.requests) == ([], [])


def test_keys_of_a_user_from_a_profile_are_refused_too(
    console: Console, isolated: Path
) -> None:
    (isolated / ".aws" / "credentials").write_text(
        f"[user]\naws_access_key_id = {console.keys['login']}\n"
        f"aws_secret_access_key = {console.keys['password']}\n"
    )
    console.keys = {}
    console.set_connection(role_arn=None, profile_name="user")
    assert "its keys have no session token" in console().err
    assert console.endpoint.requests == []


@pytest.mark.parametrize(
    ("duration", "seconds"), [("8h", "28800"), ("900", "900"), ("43200", "43200")]
)
def test_duration_is_sent_for_a_role_that_keys_assumed(
    console: Console, duration: str, seconds: str
) -> None:
    ended = console("--duration", duration)
    assert console.endpoint.requests[0].form["SessionDuration"] == seconds
    assert f"lasts {int(seconds) // 60} min from sign-in" in ended.err


@pytest.mark.parametrize("duration", ["899", "13h", "43201", "", "1d", "-1h", "१h"])
def test_duration_beyond_aws_limits_is_refused(
    console: Console, duration: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        console(f"--duration={duration}")
    assert "from 15m to 12h" in capfd.readouterr().err
    assert console.endpoint.requests == []


def test_duration_is_left_out_for_a_role_that_a_session_assumed(
    console: Console, secrets: Secrets
) -> None:
    console.set_connection(aws_session_token=secrets.new_session_token())
    ended = console("--duration", "8h")
    assert "SessionDuration" not in console.endpoint.requests[0].form
    assert "--duration is left out: AWS takes none for a role that" in ended.err
    assert "ends with its credentials, at 20" in ended.err


def test_duration_is_left_out_for_a_base_identity_that_is_a_session(
    console: Console, secrets: Secrets, isolated: Path
) -> None:
    (isolated / ".aws" / "credentials").write_text(
        f"[base]\naws_access_key_id = {console.keys['login']}\n"
        f"aws_secret_access_key = {console.keys['password']}\n"
        f"aws_session_token = {secrets.new_session_token()}\n"
    )
    console.keys = {}
    console.set_connection(profile_name="base")
    assert "--duration is left out" in console("--duration", "8h").err
    assert "SessionDuration" not in console.endpoint.requests[0].form


def test_duration_is_left_out_where_nothing_tells_what_the_credentials_are_of(
    console: Console, secrets: Secrets
) -> None:
    token = secrets.new_session_token()
    console.set_connection(role_arn=None, aws_session_token=token)
    ended = console("--duration", "8h")
    assert "SessionDuration" not in console.endpoint.requests[0].form
    assert "AWS takes one for a role only" in ended.err


@pytest.mark.parametrize("service", ["", "S3", "a/b", "s3?x", "../iam", "é", "a b"])
def test_what_is_no_name_of_a_service_is_refused(
    console: Console, service: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        console(f"--service={service}")


FAULTS = [
    ("400 Bad Request", "<html>Invalid credentials parameter", {}, "answered 400 when"),
    ("403 Forbidden", "", {}, "answered 403 when"),
    ("429 Slow Down", "", {}, "answered 429 when"),
    ("503 Busy", "", {}, "Try again a little later."),
    (
        "302 Found",
        "",
        {"Location": "https://evil.example/"},
        "a redirect, which is not",
    ),
    ("200 OK", "<html><title>Sign in</title>", {}, "without a sign-in token"),
    ("200 OK", "{}", {}, "without a sign-in token"),
    ("200 OK", "[" * 100_000, {}, "without a sign-in token"),
    ("200 OK", '{"SigninToken": 5}', {}, "without a sign-in token"),
    ("200 OK", '{"SigninToken": ""}', {}, "without a sign-in token"),
    ("200 OK", " " * 300_000 + "{}", {}, "without a sign-in token"),
]


@pytest.mark.parametrize(("status", "body", "headers", "said"), FAULTS)
def test_fault_of_the_endpoint_is_one_line_that_names_both(
    console: Console, status: str, body: str, headers: dict[str, str], said: str
) -> None:
    endpoint = console.endpoint
    endpoint.status, endpoint.body, endpoint.headers = status, body, headers
    ended = console()
    assert (ended.out, ended.code) == ("", 1)
    assert ended.err.count("\n") == 1
    assert f"Connection 'aws_default': https://{GLOBAL} answered" in ended.err
    assert said in ended.err
    assert "evil" not in ended.err
    assert len(endpoint.requests) == 1


def test_refusal_that_quotes_what_was_sent_shows_none_of_it(console: Console) -> None:
    console.endpoint.quotes = True
    console.endpoint.status = "400 Bad Request"
    ended = console("--duration", "1h")
    assert ended.code == 1
    assert "Or try without --duration." in ended.err


@pytest.mark.parametrize(
    ("behave", "said"),
    [
        (faulty_servers.hang, "did not answer within the timeout"),
        (faulty_servers.stall_in_the_body, "did not answer within the timeout"),
        (faulty_servers.close_at_once, "broke off its answer"),
        (faulty_servers.speak_junk, "broke off its answer"),
        (faulty_servers.cut_the_body, "broke off its answer"),
    ],
)
def test_fault_on_the_way_has_the_usual_words(
    console: Console,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    behave: Any,
    said: str,
) -> None:
    with faulty_servers.serve(behave, certificates.tls()) as port:
        host = f"127.0.0.1:{port}"
        monkeypatch.setitem(HOSTS, "aws", HOSTS["aws"]._replace(sign_in=host))
        console.set_connection(config_kwargs={"read_timeout": 1})
        ended = console()
    assert (ended.out, ended.code) == ("", 1)
    assert f"Connection 'aws_default': https://{host} {said}" in ended.err


class Faulty:
    def __init__(self, https_url: str) -> None:
        self.url, self.https_url = "http://127.0.0.1:1", https_url


def test_authority_that_is_not_trusted_gets_no_credentials(console: Console) -> None:
    console.set_connection(verify=None)
    ended = console()
    assert ended.code == 1
    assert f"TLS: the certificate of https://{GLOBAL} is not accepted" in ended.err
    assert console.endpoint.requests == []


def test_role_without_a_region_fails_at_the_exchange(console: Console) -> None:
    console.set_connection(region_name=None)
    ended = console()
    assert (ended.out, ended.code) == ("", 1)
    assert "NoRegionError" in ended.err
    assert console.endpoint.requests == []


def test_refused_exchange_asks_no_endpoint(console: Console, aws: Aws) -> None:
    aws.inject(Fault(403, build_error("AccessDenied")))
    ended = console()
    assert (ended.out, ended.code) == ("", 1)
    assert "STS refused AssumeRole" in ended.err
    assert console.endpoint.requests == []


def test_deadline_holds_for_the_endpoint_too(
    console: Console, certificates: Certificates, run_python: Any
) -> None:
    with (
        faulty_servers.serve(faulty_servers.hang, certificates.tls()) as port,
        Proxy(Faulty(f"https://127.0.0.1:{port}")).serve() as way,
    ):
        console.set_connection(config_kwargs={"proxies": {"https": way.url}})
        words = ["console", "--deadline", "2"]
        code = f"""
            from botocore_conn_provider.cli.main import main
            raise SystemExit(main({words!r}))
        """
        ended = run_python(code, env={CONNECTION: os.environ[CONNECTION]})
    assert (ended.stdout, ended.returncode) == ("", 6)


BROWSER = """
import http.client, json, sys, urllib.parse
address = urllib.parse.urlsplit(sys.argv[2])
def fetch():
    connection = http.client.HTTPConnection(address.netloc)
    connection.request("GET", address.path)
    answer = connection.getresponse()
    return answer.status, answer.headers["Location"]
seen = {"argv": sys.argv, "first": fetch(), "second": fetch()}
open(sys.argv[1], "w").write(json.dumps(seen))
"""
OPEN = """
    import sys
    from botocore_conn_provider.cli.main import main
    raise SystemExit(main(["console", "--open"]))
"""


def test_browser_is_sent_there_and_its_arguments_say_nothing(
    console: Console, tmp_path: Path, run_python: Any, leaks: Leaks
) -> None:
    program, noted = tmp_path / "browser.py", tmp_path / "noted"
    program.write_text(BROWSER)
    env = {
        CONNECTION: os.environ[CONNECTION],
        "BROWSER": f"{sys.executable} {program} {noted} %s",
    }

    ended = run_python(OPEN, env=env)

    seen = json.loads(noted.read_text())
    assert (ended.stdout, ended.returncode) == ("", 0)
    assert ended.stderr.startswith("botocore-conn: a browser is signed in. The")
    leaks.check_text(" ".join(seen["argv"]))
    assert seen["first"][0] == 302
    assert f"SigninToken={console.token}" in seen["first"][1]
    assert seen["second"] == [404, None]


def test_no_browser_is_an_error_that_says_what_to_do(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    ended = console("--open")
    assert (ended.out, ended.code) == ("", 1)
    assert "no browser could be started here." in ended.err
    assert "Without --open the address is printed." in ended.err


def test_browser_that_does_not_come_is_an_error(
    secrets: Secrets, monkeypatch: pytest.MonkeyPatch, leaks: Leaks
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: True)
    address = Secret(secrets.new("address"))
    with pytest.raises(ConnProviderError, match="no browser came") as caught:
        open_once(address, conn_id="c", patience_seconds=0.01)
    leaks.check_error(caught.value)


def ask(server: Redirection, method: str, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1])
    connection.request(method, path)
    status = connection.getresponse().status
    connection.close()
    return status


def test_who_guesses_gets_nothing_and_takes_nothing_away() -> None:
    with Redirection(Secret("https://there")) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert ask(server, "GET", "/") == 404
        assert ask(server, "GET", f"{server.path}x") == 404
        assert ask(server, "HEAD", server.path) == 501
        assert ask(server, "POST", server.path) == 501
        assert not server.came.is_set()
        assert ask(server, "GET", server.path) == 302
        server.shutdown()
