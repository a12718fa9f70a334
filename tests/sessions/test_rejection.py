"""A service's rejection, over HTTP, in every retry mode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError

from botocore_conn_provider.sessions.credentials import KeptCredentials
from botocore_conn_provider.sessions.rejection import (
    SIGNED_BY,
    register_rejection,
    unregister_rejection,
)
from tests.aws import build_error, read_request
from tests.loopback import LOOPBACK, serve
from tests.renewal.simulation import Simulation, issue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ANSWER = (
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>a</Arn>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)
MODES = [
    ({"mode": mode, "total_max_attempts": attempts})
    for mode in ("legacy", "standard", "adaptive")
    for attempts in (1, 3)
]


class Service:
    """Answers GetCallerIdentity; rejects the key ids it is told to, with a code."""

    def __init__(self) -> None:
        self.rejected: dict[str, str] = {}
        self.seen: list[str] = []

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        signer = read_request(environ).access_key_id or ""
        self.seen.append(signer)
        code = self.rejected.get(signer)
        status = "400 Bad" if code else "200 OK"
        body = build_error(code) if code else ANSWER
        start_response(status, [("Content-Length", str(len(body)))])
        return [body.encode()]


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def call(service: Service) -> Iterator[Callable[..., Any]]:
    """Call the service with a keeper's credentials."""
    with serve(service) as port:

        def call(world: Simulation, retries: dict[str, Any], age: float = 61) -> None:
            keeper = world.build_keeper()
            keeper.current()
            world.pass_time(age)
            session: Any = botocore.session.Session()
            session._credentials = KeptCredentials(keeper, method="m", recipe=(str, ()))
            events = session.get_component("event_emitter")
            register_rejection(events, keeper.reject)
            register_rejection(events, keeper.reject)
            session.create_client(
                "sts",
                region_name="eu-central-1",
                endpoint_url=f"http://{LOOPBACK}:{port}",
                config=Config(retries=retries),  # type: ignore[arg-type]
            ).get_caller_identity()

        yield call


OLD, NEW = issue(1, 0).access_key_id, issue(2, 0).access_key_id


@pytest.mark.parametrize("retries", MODES, ids=str)
@pytest.mark.parametrize(
    "code", ["ExpiredToken", "ExpiredTokenException", "InvalidToken"]
)
def test_rejected_set_is_renewed_before_the_retry(
    service: Service, call: Callable[..., Any], retries: dict[str, Any], code: str
) -> None:
    service.rejected = {OLD: code}
    world = Simulation()
    call(world, retries)
    assert service.seen == [OLD, NEW]
    assert len(world.asked) == 2


@pytest.mark.parametrize("retries", MODES, ids=str)
def test_refusal_and_young_sets_are_left_alone(
    service: Service, call: Callable[..., Any], retries: dict[str, Any]
) -> None:
    for code, age in (("AccessDenied", 61), ("InvalidToken", 59)):
        service.rejected = {OLD: code}
        world = Simulation()
        with pytest.raises(ClientError, match=code):
            call(world, retries, age)
        assert len(world.asked) == 1


def test_new_set_rejected_too_ends_in_the_services_error(
    service: Service, call: Callable[..., Any]
) -> None:
    service.rejected = {OLD: "InvalidToken", NEW: "InvalidToken"}
    world = Simulation()
    with pytest.raises(ClientError, match="InvalidToken"):
        call(world, {"mode": "standard"})
    assert service.seen == [OLD, NEW]


def test_unregistered_events_are_as_before() -> None:
    session = botocore.session.Session()
    events = session.get_component("event_emitter")
    register_rejection(events, pytest.fail)
    unregister_rejection(events)
    assert events.emit("needs-retry.sts.X", response=None, request_dict={}) == []


HEADERS = {
    "version 4": (
        "AWS4-HMAC-SHA256 Credential=ASIAFOUR/20270115/eu-west-1/sts/aws4_request",
        "ASIAFOUR",
    ),
    "version 2 of S3": ("AWS ASIATWO:c2lnbmF0dXJl", "ASIATWO"),
    "bearer": ("Bearer token", None),
    "unsigned": ("", None),
}


@pytest.mark.parametrize(("header", "key_id"), HEADERS.values(), ids=HEADERS)
def test_key_that_signed_is_noted(header: str, key_id: str | None) -> None:
    events: Any = botocore.session.Session().get_component("event_emitter")
    register_rejection(events, lambda _: False)
    request = AWSRequest("GET", "https://sts.example", {"Authorization": header})
    request.context = {}
    events.emit("request-created.sts.GetCallerIdentity", request=request)
    assert request.context[SIGNED_BY] == key_id
