"""A role assumed from the machine's identity, while the machine's source is down."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from botocore_conn_provider.errors import CredentialFetchError
from tests.loopback import LOOPBACK, serve
from tests.renewal.simulation import EPOCH, HOUR, MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from tests.aws import Aws
    from tests.leaks import Secrets
    from tests.renewal.conftest import FindKeeper
    from tests.renewal.simulation import Simulation
    from tests.ways import MetadataServer


class Container:
    """The credentials endpoint of a container."""

    url: str

    def __init__(self, secrets: Secrets) -> None:
        self.status = "200 OK"
        self.keys = {
            "AccessKeyId": secrets.new_access_key_id(),
            "SecretAccessKey": secrets.new("container secret key"),
            "Token": secrets.new_session_token(),
            "Expiration": "2099-01-01T00:00:00Z",
        }

    def __call__(
        self, _: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        body = json.dumps(self.keys if self.status == "200 OK" else {}).encode()
        start_response(self.status, [("Content-Length", str(len(body)))])
        return [body]


@pytest.fixture
def container(secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> Iterator[Container]:
    made = Container(secrets)
    with serve(made) as port:
        made.url = f"http://{LOOPBACK}:{port}"
        monkeypatch.setenv(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{made.url}/v2/{secrets.new('id')}"
        )
        monkeypatch.setattr("botocore.utils.ContainerMetadataFetcher.SLEEP_TIME", 0)
        yield made


@pytest.fixture
def instance(
    metadata_server: MetadataServer, monkeypatch: pytest.MonkeyPatch
) -> MetadataServer:
    for name, value in metadata_server.environment().items():
        monkeypatch.setenv(name, value)
    return metadata_server


def fail_instance(request: pytest.FixtureRequest) -> tuple[str, Callable[[], None]]:
    instance = request.getfixturevalue("instance")
    return "http://127.0.0.1", lambda: setattr(instance, "is_down", True)


def fail_container(request: pytest.FixtureRequest) -> tuple[str, Callable[[], None]]:
    container = request.getfixturevalue("container")
    return "http://127.0.0.1", lambda: setattr(container, "status", "503 Down")


SOURCES = {"instance metadata service": fail_instance, "container": fail_container}


@pytest.mark.parametrize("name", SOURCES)
def test_callers_go_on_with_what_is_valid_while_the_source_is_down(
    name: str,
    request: pytest.FixtureRequest,
    simulation: Simulation,
    find_keeper: FindKeeper,
) -> None:
    _, fail = SOURCES[name](request)
    keeper = find_keeper()
    kept = keeper.current()
    fail()
    while simulation.now < EPOCH + HOUR - MINUTE:
        assert keeper.current() is kept
        simulation.pass_time(MINUTE)
    failed = simulation.kinds().count("renewal_failed")
    assert 2 <= failed <= 6


def test_renewal_succeeds_when_the_source_is_back(
    instance: MetadataServer, simulation: Simulation, find_keeper: FindKeeper
) -> None:
    keeper = find_keeper()
    kept = keeper.current()
    instance.is_down = True
    simulation.pass_time(HOUR - 7 * MINUTE)
    assert keeper.current() is kept
    instance.is_down = False
    simulation.pass_time(6 * MINUTE)
    assert keeper.current() is not kept


@pytest.mark.parametrize("name", SOURCES)
def test_source_that_is_down_is_named_with_its_endpoint(
    name: str,
    request: pytest.FixtureRequest,
    aws: Aws,
    simulation: Simulation,
    find_keeper: FindKeeper,
) -> None:
    origin, fail = SOURCES[name](request)
    keeper = find_keeper()
    keeper.current()
    fail()
    simulation.pass_time(HOUR + 1)
    with pytest.raises(CredentialFetchError, match="aws_default") as caught:
        keeper.current()
    assert name in str(caught.value)
    assert origin in str(caught.value)
    assert caught.value.retryable
    assert len(aws.requests) == 1


@pytest.mark.parametrize("name", SOURCES)
def test_source_that_is_down_from_the_start_is_named_too(
    name: str, request: pytest.FixtureRequest, aws: Aws, find_keeper: FindKeeper
) -> None:
    origin, fail = SOURCES[name](request)
    fail()
    with pytest.raises(CredentialFetchError, match=name) as caught:
        find_keeper()
    assert origin in str(caught.value)
    assert aws.requests == []


@pytest.mark.parametrize("name", SOURCES)
def test_expired_credentials_are_served_on_while_the_source_is_down(
    name: str,
    request: pytest.FixtureRequest,
    simulation: Simulation,
    find_keeper: FindKeeper,
) -> None:
    _, fail = SOURCES[name](request)
    keeper = find_keeper(botocore_conn_provider={"static_stability_seconds": 600})
    kept = keeper.current()
    fail()
    simulation.pass_time(HOUR + 1)
    assert keeper.current() is kept
    assert simulation.kinds()[-1] == "served_stale"


def test_container_that_refuses_is_no_outage(
    container: Container, simulation: Simulation, find_keeper: FindKeeper
) -> None:
    keeper = find_keeper(botocore_conn_provider={"static_stability_seconds": 600})
    keeper.current()
    container.status = "403 Forbidden"
    simulation.pass_time(HOUR + 1)
    with pytest.raises(CredentialFetchError, match="403") as caught:
        keeper.current()
    assert not caught.value.retryable


@pytest.mark.parametrize(
    "keys", [{}, {"AccessKeyId": "AKIA"}, {"Code": "Failed", "Message": "no role"}]
)
def test_container_that_gives_something_else_is_an_error_of_ours(
    keys: dict[str, Any], container: Container, find_keeper: FindKeeper
) -> None:
    container.keys = keys
    with pytest.raises(CredentialFetchError, match="container"):
        find_keeper()


def test_source_that_a_profile_names_is_named(
    isolated: Path, metadata_server: MetadataServer, find_keeper: FindKeeper
) -> None:
    metadata_server.is_down = True
    (isolated / ".aws" / "config").write_text(
        "[profile hop]\nrole_arn = arn:aws:iam::123456789012:role/hop\n"
        "credential_source = Ec2InstanceMetadata\n"
        f"ec2_metadata_service_endpoint = {metadata_server.url}\n"
    )
    with pytest.raises(CredentialFetchError, match="instance metadata") as caught:
        find_keeper(profile_name="hop")
    assert re.search(r"http://127\.0\.0\.1:\d+ gives no credentials", str(caught.value))
