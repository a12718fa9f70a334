"""A program that uses the public API and nothing else.

mypy checks it in the lint run, so a public name that goes, or changes its type,
fails there; tests/test_public_surface.py runs it and finds that it uses every name.
"""

from __future__ import annotations

import contextlib
import os
import pickle
from typing import TYPE_CHECKING

import botocore_conn_provider
from botocore_conn_provider import (
    Connection,
    ConnectionNotFoundError,
    ConnProviderError,
    CredentialFetchError,
    IdpRequestError,
    InvalidConnectionError,
    MissingDependencyError,
    PresignedUrlError,
    Problem,
    SamlResponseError,
    StsExchangeError,
    WebIdentityTokenError,
    bridges,
)
from botocore_conn_provider.events import Event, Kind, add_listener, remove_listener
from botocore_conn_provider.fleet import ray, spark
from botocore_conn_provider.fleet.dask import ConnectionPlugin
from botocore_conn_provider.plugins import (
    Authentication,
    Browser,
    IdpAnswer,
    Page,
    Secret,
    SignIn,
    SignInRequest,
    TokenRequest,
    TokenSource,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import boto3

CONNECTION = "aws://AKIAIOSFODNN7EXAMPLE:not-secret@/?region_name=eu-west-1"


def use_sessions() -> None:
    """Reach every session, then one; each has the connection's region."""
    import boto3

    os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = CONNECTION
    os.environ["AIRFLOW_CONN_OTHER"] = CONNECTION.replace("eu-west-1", "eu-west-3")
    botocore_conn_provider.install()
    assert boto3.session.Session().client("sts").meta.region_name == "eu-west-1"
    botocore_conn_provider.install("other")
    assert boto3.session.Session().client("sts").meta.region_name == "eu-west-3"
    botocore_conn_provider.uninstall()
    bound: boto3.session.Session = botocore_conn_provider.session("aws_default")
    assert bound.client("sts").meta.region_name == "eu-west-1"


def use_connection() -> None:
    """Read a connection, look at all of it, and write it again."""
    environ = {"AIRFLOW_CONN_AWS_DEFAULT": CONNECTION}
    connection: Connection = Connection.from_env(environ=environ)
    assert Connection.from_env("aws_default", environ=environ) == connection
    texts: list[str | None] = [connection.conn_id, connection.conn_type]
    assert texts == ["aws_default", "aws"]
    texts = [connection.host, connection.schema, connection.description]
    assert texts == [None, None, None]
    port: int | None = connection.port
    login: str | None = connection.login
    password: Secret | None = connection.password
    extra: Mapping[str, object] = connection.extra
    assert (port, login, dict(extra)) == (
        None,
        "AKIAIOSFODNN7EXAMPLE",
        {"region_name": "eu-west-1"},
    )
    assert password is not None
    assert (password.reveal(), str(password)) == ("not-secret", "***")
    for text in (connection.to_json(), connection.to_uri()):
        assert Connection.parse(text, "aws_default", environ={}) == connection


def refuse(read: Callable[[], object]) -> InvalidConnectionError:
    """Return the error about a connection that cannot be read."""
    try:
        read()
    except InvalidConnectionError as error:
        return error
    raise AssertionError("it was read")


def use_errors() -> None:
    """Meet the errors of a wrong and of an absent connection, and make the others."""
    wrong = refuse(
        lambda: Connection.parse("aws://?role_arn=", "x", variable="AIRFLOW_CONN_X")
    )
    problem: Problem = wrong.problems[0]
    assert (problem.field, problem.seen) == ("role_arn", "is empty")
    assert (problem.fix, wrong.variable) == (wrong.hint, "AIRFLOW_CONN_X")
    absent = refuse(lambda: Connection.from_env("absent", environ={}))
    assert isinstance(absent, ConnectionNotFoundError)
    assert (absent.conn_id, absent.variable) == ("absent", None)
    missing = MissingDependencyError(conn_id="x", cause="It is not there.")
    early = PresignedUrlError(conn_id="x", cause="It would end early.")
    invalid = InvalidConnectionError(conn_id="x", problems=[Problem("a", "b", "C.")])
    not_found = ConnectionNotFoundError(conn_id="x", problems=[Problem("a", "b", "C.")])
    kinds = (
        CredentialFetchError,
        IdpRequestError,
        SamlResponseError,
        WebIdentityTokenError,
        StsExchangeError,
    )
    failed: list[CredentialFetchError] = [
        kind(conn_id="x", cause="No.", hint="Wait.", retryable=True) for kind in kinds
    ]
    assert all(error.retryable and error.section for error in failed)
    every: list[ConnProviderError] = [missing, early, invalid, not_found, *failed]
    for error in every:
        again: ConnProviderError = pickle.loads(pickle.dumps(error))  # noqa: S301
        assert (again.conn_id, again.cause, again.hint) == (
            "x",
            error.cause,
            error.hint,
        )


def use_events() -> None:
    """Listen, and stop listening."""
    heard: list[tuple[Kind, str, float | None, float | None, str | None, bool]] = []

    def listen(event: Event) -> None:
        """Take over all that an event says."""
        heard.append(
            (
                event.kind,
                event.conn_id,
                event.seconds_to_expiry,
                event.took_seconds,
                event.error,
                event.degraded,
            )
        )

    add_listener(listen)
    listen(Event("store_hit", "x"))
    remove_listener(listen)
    assert heard == [("store_hit", "x", None, None, None, False)]


class EnvironmentToken:
    """A token source: the token is in a variable."""

    def __init__(self, request: TokenRequest) -> None:
        self._request = request

    def check(self) -> None:
        if "TOKEN" not in self._request.environ:
            conn_id = self._request.conn_id
            raise WebIdentityTokenError(conn_id=conn_id, cause="TOKEN is not set.")

    def fetch(self) -> Secret:
        return Secret(self._request.environ["TOKEN"])


class Basic:
    """An authentication: a name and a password, when the IdP asks for them."""

    def __init__(self, conn_id: str) -> None:
        self._conn_id = conn_id

    def greet(self) -> str | None:
        return None

    def answer(self, challenge: IdpAnswer) -> str:
        if "Basic" not in challenge.headers.get("WWW-Authenticate", ""):
            raise IdpRequestError(conn_id=self._conn_id, cause="It wants no password.")
        return "Basic eDp5"

    def refuse(self, challenge: IdpAnswer) -> ConnProviderError:
        cause = f"It answered {challenge.status_code} to the password."
        return IdpRequestError(conn_id=self._conn_id, cause=cause)

    def judge(self, answer: IdpAnswer) -> None:
        if answer.is_redirect:
            raise IdpRequestError(conn_id=self._conn_id, cause="It sends us elsewhere.")


class BasicSignIn:
    """A sign-in method that uses all that a browser has."""

    def __init__(self, request: SignInRequest) -> None:
        self._request = request

    def check(self) -> None:
        if self._request.options or self._request.mutual_authentication != "DISABLED":
            problem = Problem("assume_role_with_saml", "says too much", "Say less.")
            raise InvalidConnectionError(
                conn_id=self._request.conn_id, problems=[problem]
            )

    def fetch(self, browser: Browser) -> Page:
        page = browser.get(self._request.idp_url, authenticate=self._authenticate)
        return browser.post(page.origin, fields={"size": str(len(page.body))})

    def _authenticate(self, url: str) -> Authentication:
        assert url.startswith("https:")
        return Basic(self._request.conn_id)


class Challenge:
    """An `IdpAnswer` of this program's own."""

    status_code = 401
    headers: Mapping[str, str] = {"WWW-Authenticate": "Basic"}
    is_redirect = False


class Recorder:
    """A `Browser` of this program's own: it notes what it is asked."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def get(
        self, url: str, *, authenticate: Callable[[str], Authentication] | None = None
    ) -> Page:
        if authenticate is not None:
            proof, challenge = authenticate(url), Challenge()
            self.seen += [str(proof.greet()), proof.answer(challenge)]
            self.seen.append(proof.refuse(challenge).cause)
            proof.judge(challenge)
        return Page("https://idp.example", "text/html", b"four")

    def post(self, url: str, *, fields: Mapping[str, str]) -> Page:
        self.seen.append(f"{url} {dict(fields)}")
        return Page(origin=url, content_type="", body=b"")


def use_bridges() -> None:
    """Build each bridge, or be told which library it needs."""
    os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = CONNECTION
    makers: list[Callable[[], object]] = [
        bridges.awscrt,
        bridges.daft,
        lambda: bridges.duckdb(None, "aws_default", scope="s3://lake"),
        bridges.lance,
        lambda: bridges.obstore("aws_default", asynchronous=True),
        bridges.polars,
        bridges.pyarrow,
    ]
    for make in makers:
        with contextlib.suppress(MissingDependencyError):
            make()


def use_fleet() -> None:
    """Make what each engine is given, or be told which it needs."""
    plugin: ConnectionPlugin = ConnectionPlugin("aws_lake", engines=False)
    assert repr(plugin) == "ConnectionPlugin('aws_lake')"
    with contextlib.suppress(MissingDependencyError):
        ray.runtime_env("aws_lake", engines=False, pip=["polars"])
    os.environ["AIRFLOW_CONN_AWS_LAKE"] = CONNECTION
    assert "env_vars" in ray.runtime_env("aws_lake", send_connection=True)


class Builder:
    """Has what is used of `SparkSession.builder`."""

    def __init__(self) -> None:
        self.settings: dict[str, str] = {}

    def config(self, key: str, value: str) -> Builder:
        self.settings[key] = value
        return self


class Context:
    """Has what is used of a SparkContext, and of its session."""

    def __init__(self) -> None:
        self.environment: dict[str, str] = {}
        self.sparkContext = self


def use_spark() -> None:
    """Set up a builder, see the same settings, and send a connection's text."""
    os.environ["AIRFLOW_CONN_LAKE"] = CONNECTION
    builder: Builder = spark.configure(Builder(), "lake", engines=False)
    settings: dict[str, str] = spark.list_settings("lake", engines=False)
    assert builder.settings == settings
    context = Context()
    spark.send_connection(context, "lake")
    assert context.environment == {"AIRFLOW_CONN_LAKE": CONNECTION}
    botocore_conn_provider.uninstall()


def use_plugins() -> None:
    """Make both kinds of plug-in and use them as the package would."""
    make_source: Callable[[TokenRequest], TokenSource] = EnvironmentToken
    source = make_source(
        TokenRequest(
            conn_id="x",
            role_arn="arn:aws:iam::123456789012:role/r",
            audience=None,
            token_file=None,
            deadline_seconds=30.0,
            environ={"TOKEN": "t"},
        )
    )
    source.check()
    assert source.fetch() == Secret("t")
    make_sign_in: Callable[[SignInRequest], SignIn] = BasicSignIn
    sign_in = make_sign_in(
        SignInRequest(
            conn_id="x",
            role_arn="arn:aws:iam::123456789012:role/r",
            idp_url="https://idp.example/",
            options={},
            mutual_authentication="DISABLED",
            deadline_seconds=30.0,
            environ={},
        )
    )
    sign_in.check()
    browser = Recorder()
    page = sign_in.fetch(browser)
    assert (page.origin, page.content_type, page.body) == (
        "https://idp.example",
        "",
        b"",
    )
    assert browser.seen == [
        "None",
        "Basic eDp5",
        "It answered 401 to the password.",
        "https://idp.example {'size': '4'}",
    ]


def main() -> None:
    """Use all of it."""
    use_sessions()
    use_connection()
    use_errors()
    use_events()
    use_bridges()
    use_fleet()
    use_spark()
    use_plugins()
    print("every public name was used")  # noqa: T201


if __name__ == "__main__":
    main()
