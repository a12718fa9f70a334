"""The shape of a wire case: what stands where, what the code does, what AWS sees.

A case file maps names to cases. `@NAME@` in any text is filled in by `World`, so
that every run has keys of its own, which the leak check knows. Every case runs
with the machine's own keys in the environment, which a connection with an
identity must never use, and with proxies in the environment, whose every road
leads to the embedded AWS: so hosts are AWS's real names, over TLS.
"""

from __future__ import annotations

import contextlib
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from botocore import UNSIGNED
from botocore.config import Config

import botocore_conn_provider

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pytest

    from tests.aws import Aws, AwsRequest
    from tests.leaks import Secrets
    from tests.ways import MetadataServer, Proxy

CASES = Path(__file__).parent.parent / "cases" / "wire"
DEFAULT_REGION = {"AWS_DEFAULT_REGION": "eu-west-1"}


class Case(NamedTuple):
    """One connection, beside what it stands in and what it must lead to.

    `connection` is the text, or an object that is written as JSON. `do` is what the
    code says: `entry` (install or session), `conn_id`, `session` and `client` (their
    arguments), `service`, `operation`. `sent` lists every request AWS must see, and
    `error` the class and the field of the first problem when nothing may be sent.
    `exchanges` names a case in which botocore itself asks STS: its debug records
    are the user's.
    """

    connection: Any = None
    env: Mapping[str, str | None] = {}
    config: str = ""
    credentials: str = ""
    do: Mapping[str, Any] = {}
    sent: tuple[Mapping[str, Any], ...] = ()
    error: tuple[str, str] | None = None
    exchanges: bool = False


class World:
    """The loopback world of one case, and the texts that are filled in."""

    def __init__(
        self,
        *,
        aws: Aws,
        proxy: Proxy,
        metadata_server: MetadataServer,
        secrets: Secrets,
        home: Path,
    ) -> None:
        self.aws = aws
        self._secrets = secrets
        self._home = home
        self._metadata = metadata_server.environment()
        self.texts = {
            "AWS": aws.url,
            "AWS_HOST": aws.url.removeprefix("http://"),
            "AWS_TLS": aws.https_url,
            "AWS_TLS_HOST": aws.https_url.removeprefix("https://"),
            "CA": aws.ca_file,
            "HOME": str(home),
            "PROXY": proxy.url,
            "METADATA": metadata_server.url,
            "MACHINE_KEY": metadata_server.access_key_id,
            "MACHINE_TOKEN": metadata_server.session_token,
            "NOWHERE": "http://127.0.0.1:1",
        }
        for name in ("", "OTHER_", "THIRD_", "FILE_", "AMBIENT_"):
            self.texts[f"{name}KEY"] = secrets.new_access_key_id()
            self.texts[f"{name}SECRET"] = secrets.new(f"{name}secret key")
            self.texts[f"{name}TOKEN"] = secrets.new_session_token()

    def new_bearer_token(self) -> str:
        """Return a new token, which the user's own calls may show."""
        return self._secrets.new_session_token()

    def fill(self, text: str) -> str:
        """Put this world's texts into `text`."""
        for name, value in self.texts.items():
            text = text.replace(f"@{name}@", value)
        return text

    def fill_all(self, value: Any) -> Any:
        """Put this world's texts into a JSON value."""
        return json.loads(self.fill(json.dumps(value)))

    def arrange(self, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
        """Set the environment and write the files."""
        environment: dict[str, str | None] = {
            "HTTP_PROXY": "@PROXY@",
            "HTTPS_PROXY": "@PROXY@",
            "NO_PROXY": "127.0.0.1",
            "AWS_CA_BUNDLE": "@CA@",
            "AWS_ACCESS_KEY_ID": "@AMBIENT_KEY@",
            "AWS_SECRET_ACCESS_KEY": "@AMBIENT_SECRET@",
            "AWS_SESSION_TOKEN": "@AMBIENT_TOKEN@",
            **DEFAULT_REGION,
            # The oldest botocore would go to the global endpoint.
            "AWS_STS_REGIONAL_ENDPOINTS": "regional",
            **case.env,
        }
        variable = f"AIRFLOW_CONN_{case.do.get('conn_id', 'aws_default').upper()}"
        if case.connection is not None:
            environment[variable] = _write(case.connection)
        for name, value in environment.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, self.fill(value))
        for name in ("config", "credentials"):
            path = self._home / ".aws" / name
            path.write_text(self.fill(getattr(case, name)))

    def expected(self, case: Case) -> list[dict[str, Any]]:
        """Return what AWS must see, whole."""
        return [complete(each) for each in self.fill_all(list(case.sent))]

    def seen(self, case: Case) -> list[dict[str, Any]]:
        """Return what AWS saw, in the words of the case."""
        return [
            self._show(request, expected)
            for request, expected in zip(
                self.aws.requests,
                [*self.expected(case), *[{}] * len(self.aws.requests)],
                strict=False,
            )
        ]

    def _show(self, request: AwsRequest, expected: Mapping[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "call": request.action or f"{request.method} {request.path}",
            "service": request.service,
            "region": request.region,
            "host": request.host,
            "scheme": request.scheme,
            "key": self._name_issued(request.access_key_id, "AccessKeyId"),
            "token": self._name_issued(request.security_token, "SessionToken"),
            "parameters": request.parameters,
        }
        if "user_agent" in expected:
            wanted = expected["user_agent"]
            shown["user_agent"] = (
                wanted if wanted in request.user_agent else request.user_agent
            )
        if "through_proxy" in expected:
            shown["through_proxy"] = request.through_proxy
        return shown

    def _name_issued(self, text: str | None, kind: str) -> str | None:
        issued = self._secrets.find_in(text or "")
        return "issued" if f"issued {kind}" in issued else text


def complete(expected: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in what a case need not say about a request."""
    issued = expected.get("key") == "issued"
    return {
        "call": "GetCallerIdentity",
        "service": "sts",
        "region": "eu-west-1",
        "host": "sts.eu-west-1.amazonaws.com",
        "scheme": "https",
        "token": "issued" if issued else None,
        "parameters": {},
        **expected,
    }


def _write(connection: Any) -> str:
    return connection if isinstance(connection, str) else json.dumps(connection)


def read_cases() -> dict[str, Case]:
    """Read every case; the name is file and name."""
    return {
        f"{path.stem}-{name}": Case(**case)
        for path in sorted(CASES.glob("*.json"))
        for name, case in json.loads(path.read_text()).items()
    }


def act(case: Case, world: World, *, entry: str) -> None:
    """Do what the code of the case does: make a session, a client, one call."""
    do = world.fill_all(case.do)
    conn_id = do.get("conn_id")
    if entry == "session":
        session = botocore_conn_provider.session(conn_id or "aws_default")
    else:
        botocore_conn_provider.install(conn_id)
        session = boto3.Session(**do.get("session", {}))
    arguments = dict(do.get("client", {}))
    if "config" in arguments:
        arguments["config"] = make_config(arguments["config"])
    client = session.client(do.get("service", "sts"), **arguments)
    getattr(client, do.get("operation", "get_caller_identity"))()


def make_config(options: Mapping[str, Any]) -> Config:
    values = dict(options)
    if values.get("signature_version") == "unsigned":
        values["signature_version"] = UNSIGNED
    return Config(**values)


@contextlib.contextmanager
def installed_afresh() -> Iterator[None]:
    """Leave nothing installed behind."""
    try:
        yield
    finally:
        botocore_conn_provider.uninstall()


@contextlib.contextmanager
def records_of_botocore_from(level: int) -> Iterator[None]:
    """Hold back what botocore logs of exchanges that are its own."""
    loggers = [logging.getLogger(name) for name in ("botocore", "urllib3")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(level)
    try:
        yield
    finally:
        for logger, was in zip(loggers, before, strict=True):
            logger.setLevel(was)
