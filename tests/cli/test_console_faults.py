"""What can go wrong between the credentials and the address of the console."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from botocore_conn_provider.cli.console.partition import HOSTS
from tests import faulty_servers
from tests.aws import Aws, Fault, build_error
from tests.cli.conftest import CONNECTION
from tests.cli.console_parts import GLOBAL, Console
from tests.ways import Proxy

if TYPE_CHECKING:
    from tests.certificates import Certificates
    from tests.child import Children

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
        (faulty_servers.finish_the_handshake, "broke off its answer"),
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
    console: Console, certificates: Certificates, run_python: Children
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


@pytest.mark.parametrize("command", ["console", "export"])
def test_debug_log_shows_no_secret(
    console: Console, command: str, run_python: Children
) -> None:
    code = f"""
        import io, sys
        from botocore_conn_provider.cli.main import main
        sys.stdout = io.TextIOWrapper(io.BytesIO())
        raise SystemExit(main(["{command}", "--debug"]))
    """
    ended = run_python(code, env={CONNECTION: os.environ[CONNECTION]})
    assert ended.returncode == 0
    assert "DEBUG botocore" in ended.stderr
    assert console.token not in ended.stderr
