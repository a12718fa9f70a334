"""A connection with assume_role_with_saml, as a user has it: from text to S3."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import botocore_conn_provider
from botocore_conn_provider import InvalidConnectionError
from botocore_conn_provider.errors import IdpRequestError
from tests.aws import Fault
from tests.federation.saml.asking import build_page
from tests.federation.saml.signing import PROVIDER, ROLE, sign_response
from tests.sessions.wire import Case, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import trustme

    from tests.child import Children
    from tests.federation.saml.idp import Idp
    from tests.federation.saml.parts import StartIdp
    from tests.leaks import Leaks, Secrets

    SetUp = Callable[..., None]

EXTRA = ("requests", "requests_gssapi", "gssapi", "lxml")


@pytest.fixture(autouse=True)
def _users_calls(leaks: Leaks) -> Iterator[None]:
    with leaks.user_calls():
        yield


@pytest.fixture(scope="module")
def signed_once(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a response that grants one role: moto takes the first."""
    directory = tmp_path_factory.mktemp("one-role")
    return sign_response(directory, ca, grants=(f"{ROLE},{PROVIDER}",))


@pytest.fixture
def assertion(signed_once: str, secrets: Secrets) -> str:
    return secrets.add(signed_once, name="assertion")


@pytest.fixture
def idp(ticket: str, start_idp: StartIdp, assertion: str) -> Iterator[Idp]:  # noqa: ARG001 - whose ticket it is does not matter
    """An IdP of the realm that lets us in."""
    page = {"sign_in": True, "proof": "good", "body": build_page(assertion)}
    with start_idp(page) as running:
        yield running


@pytest.fixture
def set_up(world: World, monkeypatch: pytest.MonkeyPatch) -> SetUp:
    def arrange(url: str, **sign_in: Any) -> None:
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        saml = {
            "idp_url": url,
            "idp_auth_method": "http_spegno_auth",
            "mutual_authentication": "REQUIRED",
            **sign_in,
        }
        extra = {
            "role_arn": ROLE,
            "assume_role_method": "assume_role_with_saml",
            "assume_role_with_saml": saml,
        }
        env = {"NO_PROXY": "127.0.0.1,.corp.test,localhost"}
        connection = {"conn_type": "aws", "extra": extra}
        world.arrange(Case(connection=connection, env=env), monkeypatch)
        botocore_conn_provider.install()

    return arrange


def calls(world: World, secrets: Secrets) -> list[tuple[str | None, str]]:
    """Return what AWS was asked for, and by whom."""
    return [
        (request.action or request.service, name_signer(request.access_key_id, secrets))
        for request in world.aws.requests
    ]


def name_signer(key: str | None, secrets: Secrets) -> str:
    return ", ".join(secrets.find_in(key)) if key else "nobody"


SIGN_IN = ("AssumeRoleWithSAML", "nobody")
S3 = ("s3", "issued AccessKeyId")


@pytest.mark.kerberos
@pytest.mark.parametrize(
    ("auth", "requests"), [({"opportunistic_auth": True}, 1), ({}, 2)]
)
def test_connection_signs_in_and_s3_sees_the_issued_key(
    auth: dict[str, bool],
    requests: int,
    world: World,
    secrets: Secrets,
    idp: Idp,
    assertion: str,
    set_up: SetUp,
) -> None:
    set_up(idp.url(), idp_auth_kwargs=auth)
    boto3.client("s3").list_buckets()

    assert calls(world, secrets) == [SIGN_IN, S3]
    assert world.aws.requests[0].parameters == {
        "RoleArn": ROLE,
        "PrincipalArn": PROVIDER,
        "SAMLAssertion": assertion,
    }
    assert len(idp.seen) == requests


@pytest.mark.kerberos
def test_threads_and_sessions_share_one_login(
    world: World, secrets: Secrets, idp: Idp, leaks: Leaks, set_up: SetUp
) -> None:
    set_up(idp.url())
    together = Barrier(2)

    def work() -> None:
        with leaks.user_calls():
            client = boto3.Session().client("s3")
            together.wait(30)
            client.list_buckets()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(work) for _ in range(2)]:
            done.result()

    assert calls(world, secrets) == [SIGN_IN, S3, S3]
    assert [seen.token is not None for seen in idp.seen] == [False, True]


@pytest.mark.kerberos
def test_renewal_signs_in_again(
    world: World, secrets: Secrets, idp: Idp, set_up: SetUp
) -> None:
    set_up(idp.url(), idp_auth_kwargs={"opportunistic_auth": True})
    world.aws.inject(Fault(expires_in_seconds=2))
    client = boto3.client("s3")
    client.list_buckets()
    first = world.aws.requests[-1].access_key_id
    credentials = boto3.Session().get_credentials()
    assert credentials is not None
    while credentials.get_frozen_credentials().access_key == first:
        time.sleep(0.05)
    client.list_buckets()

    seen = calls(world, secrets)
    assert (seen[0], seen[-1]) == (SIGN_IN, S3)
    assert world.aws.requests[-1].access_key_id != first
    # Each has a sign-in of its own, and no proof is sent twice.
    assert len({each.token for each in idp.seen}) == seen.count(SIGN_IN) == 2


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "status": ({"status": 403}, "answered 403"),
    "401 to the ticket": ({"sign_in": True, "status": 401}, "answered 401"),
    "forged proof": ({"sign_in": True, "proof": "forged"}, "proof that is not valid"),
}


@pytest.mark.kerberos
@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.usefixtures("ticket")
def test_refused_sign_in_sends_nothing_to_aws(
    name: str, world: World, start_idp: StartIdp, set_up: SetUp
) -> None:
    step, words = REFUSALS[name]
    with start_idp(step) as idp:
        set_up(idp.url())
        client = boto3.client("s3")
        with pytest.raises(IdpRequestError, match=words):
            client.list_buckets()

    assert world.aws.requests == []
    assert idp.seen


@pytest.mark.kerberos
def test_options_that_cannot_be_are_told_before_the_network(
    world: World, idp: Idp, set_up: SetUp
) -> None:
    set_up(idp.url(), saml_response_xpath="//[")
    with pytest.raises(InvalidConnectionError, match="saml_response_xpath"):
        boto3.client("s3").list_buckets()

    assert (world.aws.requests, idp.seen) == ([], [])


BARE = """
    import os, sys
    for name in sys.argv[1:]:
        sys.modules[name] = None
    import boto3
    import botocore_conn_provider
    from botocore_conn_provider.errors import MissingDependencyError
    botocore_conn_provider.install()
    try:
        boto3.client("s3").list_buckets()
    except MissingDependencyError as error:
        print(error)
    os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = os.environ["WITH_KEYS"]
    boto3.Session().client("sts").get_caller_identity()
"""


def test_only_saml_needs_the_extra(
    world: World,
    run_python: Children,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_up("https://idp.corp.test/")
    keys = f'{{"conn_type": "aws", "login": "{world.texts["KEY"]}",'
    monkeypatch.setenv("WITH_KEYS", keys + f' "password": "{world.texts["SECRET"]}"}}')
    ended = run_python(BARE, *EXTRA)

    assert ended.returncode == 0, ended.stderr
    assert "pip install 'botocore-conn-provider[saml]'" in ended.stdout
    (request,) = world.aws.requests
    assert (request.action, request.access_key_id) == (
        "GetCallerIdentity",
        world.texts["KEY"],
    )
