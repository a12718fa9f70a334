"""One fault of the network has one kind and one wording, whichever road meets it.

Each fault is a real one, on loopback, and each road is walked with the library that
it uses: SAML and Google with requests, STS and doctor with botocore, doctor's way to
an IdP with sockets. What differs are the fields that the road names.
"""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING, NamedTuple

import botocore.session
import pytest
import trustme

from botocore_conn_provider.cli.doctor import aws_steps
from botocore_conn_provider.cli.doctor.idp_route import IdpWay
from botocore_conn_provider.cli.doctor.step import run_step
from botocore_conn_provider.connection.settings import (
    AssumeRole,
    AssumeRoleWithWebIdentity,
    AwsSettings,
    ClientSettings,
    SamlSignIn,
)
from botocore_conn_provider.errors import ConnProviderError, CredentialFetchError
from botocore_conn_provider.exchange.sts import StsExchange, create_sts_client
from botocore_conn_provider.exchange.unfitted_session import UnfittedSession
from botocore_conn_provider.federation.deadline import Deadline
from botocore_conn_provider.federation.saml.browser import IdpBrowser
from botocore_conn_provider.federation.saml.transcript import Transcript
from botocore_conn_provider.federation.web_identity import bounded_http
from botocore_conn_provider.federation.web_identity.identity_token import (
    WebIdentityTokenFetcher,
)
from botocore_conn_provider.secret import Options
from tests import faulty_servers as faulty

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROLE = "arn:aws:iam::123456789012:role/reader"
PASSWORD = "password-of-the-proxy"
WAIT_SECONDS = 0.4


class Place(NamedTuple):
    """Where to go, and how."""

    url: str
    ca_file: str | None = None
    proxy: str | None = None


if TYPE_CHECKING:
    Make = Callable[[trustme.CA, Path], contextlib.AbstractContextManager[Place]]


class Told(NamedTuple):
    """What a road says of a fault."""

    cause: str
    hint: str
    retryable: bool | None = None


class Road(NamedTuple):
    """One way to a server; `address` and the others are the fields it names."""

    walk: Callable[[Place, Path, pytest.MonkeyPatch], Told]
    address: str
    verify: str
    proxies: str
    timeout: str


def read_error(error: ConnProviderError) -> Told:
    assert isinstance(error, CredentialFetchError)
    assert PASSWORD not in str(error)
    start, found, cause = error.cause.partition(" could not be fetched: ")
    return Told(cause if found else start, error.hint, error.retryable)


def sign_in(place: Place, _: Path, __: pytest.MonkeyPatch) -> Told:
    request: dict[str, object] = {"timeout": [5, WAIT_SECONDS]}
    if place.ca_file:
        request["verify"] = place.ca_file
    if place.proxy:
        request["proxies"] = {"http": place.proxy, "https": place.proxy}
    browser = IdpBrowser(
        SamlSignIn(idp_url=place.url, request=Options(request)),
        conn_id="corp",
        deadline=Deadline(20),
        transcript=Transcript(conn_id="corp", enabled=False),
    )
    with contextlib.closing(browser), pytest.raises(ConnProviderError) as caught:
        browser.get(f"{place.url}/sso?id=sentinel")
    return read_error(caught.value)


def ask_google(place: Place, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    if place.ca_file:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", place.ca_file)
    if place.proxy:
        monkeypatch.setenv("https_proxy", place.proxy)
    monkeypatch.setattr(bounded_http, "_bound", lambda: (5, WAIT_SECONDS))
    user = {"type": "authorized_user", "token_uri": f"{place.url}/token"}
    parts = {"client_id": "c", "client_secret": "s", "refresh_token": "r"}
    (folder / "adc.json").write_text(json.dumps({**user, **parts}))
    fetcher = WebIdentityTokenFetcher(
        AssumeRoleWithWebIdentity(ROLE, "google", audience="c"),
        conn_id="corp",
        deadline_seconds=20,
        allow_plugins=False,
        environ={"GOOGLE_APPLICATION_CREDENTIALS": str(folder / "adc.json")},
    )
    with pytest.raises(ConnProviderError) as caught:
        fetcher.fetch_token()
    return read_error(caught.value)


def build_client_settings(place: Place) -> ClientSettings:
    config: dict[str, object] = {
        "retries": {"total_max_attempts": 1},
        "read_timeout": WAIT_SECONDS,
    }
    if place.proxy:
        config["proxies"] = {"http": place.proxy, "https": place.proxy}
    return ClientSettings(
        region_name="eu-west-1",
        config=Options(config),
        service_endpoints=Options({"sts": place.url}),
        verify=place.ca_file,
    )


def exchange(place: Place, _: Path, __: pytest.MonkeyPatch) -> Told:
    session = botocore.session.Session()
    session.set_config_variable("region", "eu-west-1")
    client = create_sts_client(session, build_client_settings(place))
    role = AssumeRole(ROLE, Options({"RoleSessionName": "reader"}))
    with pytest.raises(ConnProviderError) as caught:
        StsExchange(client, conn_id="corp").assume_role(role)
    return read_error(caught.value)


def look_at_sts(place: Place, _: Path, __: pytest.MonkeyPatch) -> Told:
    settings = AwsSettings("corp", client=build_client_settings(place))
    steps = aws_steps.AwsSteps(settings, UnfittedSession(), None, probe=None)
    outcome = run_step(next(steps.list()))
    assert outcome.step == "STS"
    return Told(outcome.cause or "no fault", outcome.fix or "")


def look_at_idp(place: Place, _: Path, __: pytest.MonkeyPatch) -> Told:
    request = {"verify": place.ca_file} if place.ca_file else {}
    way = IdpWay(
        SamlSignIn(idp_url=place.url, request=Options(request)), conn_id="corp"
    )
    for step in way.list():
        outcome = run_step(step)
        if not outcome.is_good:
            return Told(outcome.cause or "", outcome.fix or "")
    raise AssertionError("no step met the fault")


IDP = (
    "'idp_url'",
    "'idp_request_kwargs.verify'",
    "'idp_request_kwargs.proxies', HTTPS_PROXY",
    "'idp_request_kwargs.timeout'",
)
STS = (
    "'region_name' and 'service_config.sts.endpoint_url'",
    "'verify'",
    "'config_kwargs.proxies', HTTPS_PROXY",
    "'config_kwargs.read_timeout'",
)
ROADS = {
    "SAML": Road(sign_in, *IDP),
    "Google": Road(
        ask_google,
        "the addresses in the credentials file",
        "REQUESTS_CA_BUNDLE",
        "HTTPS_PROXY",
        "'botocore_conn_provider.sign_in_deadline_seconds'",
    ),
    "STS": Road(exchange, *STS),
    "doctor at STS": Road(look_at_sts, *STS),
    "doctor at the IdP": Road(look_at_idp, *IDP),
}
WHOLE = tuple(name for name in ROADS if name != "doctor at the IdP")


class Case(NamedTuple):
    """How a fault is made, and what each road says of it.

    `retryable` is what SAML says; the other roads have rules of their own.
    """

    make: Make
    cause: str
    hint: str
    retryable: bool = True
    roads: tuple[str, ...] = tuple(ROADS)


@contextlib.contextmanager
def at_closed_port(_: trustme.CA, __: Path) -> Iterator[Place]:
    yield Place(f"https://127.0.0.1:{faulty.find_closed_port()}")


@contextlib.contextmanager
def at_unknown_name(_: trustme.CA, __: Path) -> Iterator[Place]:
    yield Place("https://nowhere.invalid")


def behind(behave: Callable[..., None]) -> Make:
    """Make a place that behaves so, without TLS."""

    @contextlib.contextmanager
    def make(_: trustme.CA, __: Path) -> Iterator[Place]:
        with faulty.serve(behave) as port:
            yield Place(f"http://127.0.0.1:{port}")

    return make


def secured(name: str, *, is_trusted: bool = True, has_expired: bool = False) -> Make:
    """Make a place with such a certificate."""

    @contextlib.contextmanager
    def make(authority: trustme.CA, folder: Path) -> Iterator[Place]:
        ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(ca_file))
        tls = faulty.build_tls(authority, name, has_expired=has_expired)
        with faulty.serve(faulty.finish_the_handshake, tls) as port:
            url = f"https://127.0.0.1:{port}"
            yield Place(url, ca_file=str(ca_file) if is_trusted else None)

    return make


@contextlib.contextmanager
def at_plain_port(_: trustme.CA, __: Path) -> Iterator[Place]:
    with faulty.serve(faulty.speak_junk) as port:
        yield Place(f"https://127.0.0.1:{port}")


def proxied(behave: Callable[..., None] | None) -> Make:
    """Make a place behind a proxy that behaves so; None for one that is down."""

    @contextlib.contextmanager
    def make(_: trustme.CA, __: Path) -> Iterator[Place]:
        with contextlib.ExitStack() as running:
            port = faulty.find_closed_port()
            if behave is not None:
                port = running.enter_context(faulty.serve(behave))
            proxy = f"http://jane:{PASSWORD}@127.0.0.1:{port}"
            yield Place("https://far.example", proxy=proxy)

    return make


BAD_CERTIFICATE = "TLS: the certificate of https://127.0.0.1 is not accepted ("
CUT = "http://127.0.0.1 broke off its answer or answered something that is not HTTP."
CUT_HINT = "Check {address}, and what is on the way: a proxy ({proxies}) or a firewall."
SILENT = "http://127.0.0.1 did not answer within the timeout."
SILENT_HINT = "Raise {timeout} if it is known to be slow."
CASES = {
    "closed port": Case(
        at_closed_port,
        "https://127.0.0.1 refuses the connection.",
        "Check the host and port in {address} and whether the server there is running.",
    ),
    "name that does not resolve": Case(
        at_unknown_name,
        "DNS: the name of https://nowhere.invalid cannot be resolved.",
        "Check the spelling of {address}, the resolver and the VPN.",
    ),
    "certificate of another name": Case(
        secured("other.test"),
        BAD_CERTIFICATE,
        "Use the name that the certificate has in {address}.",
        retryable=False,
    ),
    "certificate of an unknown issuer": Case(
        secured("127.0.0.1", is_trusted=False),
        BAD_CERTIFICATE,
        "Its issuer is unknown here: name your CA's bundle in {verify}.",
        retryable=False,
    ),
    "certificate that has expired": Case(
        secured("127.0.0.1", has_expired=True),
        BAD_CERTIFICATE,
        "It has expired: have it renewed, or check the clock of this machine.",
        retryable=False,
    ),
    "plain port asked for TLS": Case(
        at_plain_port,
        "TLS: the connection to https://127.0.0.1 failed (",
        "Check that the port in {address} speaks TLS, and the versions both sides allow.",
        retryable=False,
    ),
    "proxy that asks for a sign-in": Case(
        proxied(faulty.ask_for_a_sign_in),
        "The proxy on the way to https://far.example answered 407: it asks for a sign-in.",
        "Put its user name and password into the proxy's URL: see {proxies}.",
        retryable=False,
        roads=WHOLE,
    ),
    "proxy that is down": Case(
        proxied(None),
        "The proxy on the way to https://far.example could not be used.",
        "Check {proxies} and NO_PROXY.",
        roads=WHOLE,
    ),
    "proxy that opens no tunnel": Case(
        proxied(faulty.refuse_the_tunnel),
        "The proxy on the way to https://far.example could not be used.",
        "Check {proxies} and NO_PROXY.",
        roads=WHOLE,
    ),
    "server that closes at once": Case(
        behind(faulty.close_at_once), CUT, CUT_HINT, roads=WHOLE
    ),
    "server that speaks junk": Case(
        behind(faulty.speak_junk), CUT, CUT_HINT, roads=WHOLE
    ),
    "server that cuts its body": Case(
        behind(faulty.cut_the_body), CUT, CUT_HINT, roads=WHOLE
    ),
    "server that hangs": Case(behind(faulty.hang), SILENT, SILENT_HINT, roads=WHOLE),
    "server that stalls in its body": Case(
        behind(faulty.stall_in_the_body), SILENT, SILENT_HINT, roads=WHOLE
    ),
}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.mark.parametrize(
    ("name", "road"),
    [(name, road) for name, case in CASES.items() for road in case.roads],
)
def test_fault_has_one_wording_on_every_road(
    name: str,
    road: str,
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case, way = CASES[name], ROADS[road]
    with case.make(authority, tmp_path) as place:
        told = way.walk(place, tmp_path, monkeypatch)

    # Which port the system gave is nothing that a case can say.
    cause = re.sub(r"(127\.0\.0\.1):\d+", r"\1", told.cause)
    assert cause.startswith(case.cause)
    assert told.hint == case.hint.format(**way._asdict())


@pytest.mark.parametrize("name", CASES)
def test_saml_tries_again_after_what_may_pass(
    name: str, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    with case.make(authority, tmp_path) as place:
        assert sign_in(place, tmp_path, monkeypatch).retryable == case.retryable


@pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if "STS" in case.roads]
)
def test_sts_tries_again_after_all_but_tls(
    name: str, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    is_tls = case.cause.startswith("TLS")
    with case.make(authority, tmp_path) as place:
        assert exchange(place, tmp_path, monkeypatch).retryable == (not is_tls)


@pytest.mark.parametrize("road", ["SAML", "doctor at STS"])
def test_proxy_that_answers_407_without_a_tunnel_is_named_too(
    road: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with faulty.serve(faulty.ask_for_a_sign_in) as port:
        place = Place("http://far.example", proxy=f"http://127.0.0.1:{port}")
        told = ROADS[road].walk(place, tmp_path, monkeypatch)

    assert told.cause == (
        "The proxy on the way to http://far.example answered 407: it asks for a sign-in."
    )
    assert ROADS[road].proxies in told.hint
