"""Presigned URLs of aiobotocore's clients live as long as those of botocore's."""

from __future__ import annotations

import asyncio
import gc
import inspect
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiobotocore import signers
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from botocore_conn_provider import PresignedUrlError
from botocore_conn_provider.renewal import loop_wait
from botocore_conn_provider.sessions.presigners import PRESIGNERS
from tests.aws import Fault, build_error
from tests.sessions.aio.conftest import ROLE
from tests.sessions.signing import (
    HOUR,
    OBJECT,
    WEEK,
    hold,
    warnings_of,
    watch_waits,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tests.aws import Aws
    from tests.leaks import Leaks
    from tests.sessions.aio.conftest import Giver

V4 = AioConfig(signature_version="s3v4")


@pytest.fixture(autouse=True)
def _users_calls(leaks: Leaks) -> Iterator[None]:
    with leaks.user_calls():
        yield


@pytest.fixture
def run(aws: Aws, connection: Giver) -> Callable[..., Any]:
    """Do something with a client whose credentials are of an age; of its first key."""

    def run(
        work: Callable[[Any, str], Awaitable[Any]],
        *,
        age: float = 600,
        left: float = 3000,
        service: str = "s3",
        **own: Any,
    ) -> Any:
        connection.put(role_arn=ROLE, botocore_conn_provider=own)
        aws.inject(Fault(expires_in_seconds=left))

        async def ask() -> Any:
            session = get_session()
            credentials = await session.get_credentials()
            first = await credentials.get_frozen_credentials()
            hold(credentials, age=age)
            async with session.create_client(service, config=V4) as client:
                return await work(client, first.access_key)

        return asyncio.run(ask())

    return run


def count(aws: Aws) -> int:
    return len(aws.sts_requests)


def test_url_is_signed_with_new_credentials_where_the_old_would_end_before_it(
    aws: Aws, run: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    async def work(client: Any, first: str) -> None:
        url = await client.generate_presigned_url("get_object", OBJECT)
        new = await client._get_credentials().get_frozen_credentials()
        asked = parse_qs(urlsplit(url).query)
        assert first != new.access_key
        assert asked["X-Amz-Credential"][0].startswith(f"{new.access_key}/")
        assert asked["X-Amz-Security-Token"] == [new.token]
        assert asked["X-Amz-Expires"] == ["3600"]

    run(work)
    assert count(aws) == 2
    assert warnings_of(caplog) == []


def test_post_and_token_get_credentials_for_them(
    aws: Aws, run: Callable[..., Any]
) -> None:
    async def post(client: Any, first: str) -> None:
        made = await client.generate_presigned_post("b", "k")
        assert first not in made["fields"]["x-amz-credential"]

    run(post)
    assert count(aws) == 2

    async def token(client: Any, first: str) -> None:
        made = await client.generate_db_auth_token("host", 5432, "user")
        assert first not in made

    run(token, service="rds", age=3100, left=500, sign_in_deadline_seconds=29)
    assert count(aws) == 4


@pytest.mark.parametrize("seconds", [HOUR, WEEK])
def test_thousand_urls_at_once_cost_one_exchange(
    aws: Aws, run: Callable[..., Any], seconds: int
) -> None:
    async def work(client: Any, first: str) -> None:
        urls = [
            client.generate_presigned_url("get_object", OBJECT, seconds)
            for _ in range(1000)
        ]
        assert not any(first in url for url in await asyncio.gather(*urls))

    run(work)
    assert count(aws) == 2


def test_loop_goes_on_while_the_renewal_hangs_and_the_url_is_signed(
    aws: Aws,
    run: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(loop_wait, "ASK_AGAIN_SECONDS", 0.05)
    release = threading.Event()

    async def work(client: Any, first: str) -> None:
        aws.inject(Fault(until=release))
        ticks = 0
        url = asyncio.ensure_future(client.generate_presigned_url("get_object", OBJECT))
        while not url.done():
            await asyncio.sleep(0.01)
            ticks += 1
        assert ticks > 5
        assert first in url.result()
        assert first in await client.generate_presigned_url("get_object", OBJECT)
        assert count(aws) == 2
        # The next attempt, of a source that is known to be down, is not waited for.
        aws.inject(Fault(until=release))
        state = client._get_credentials().keeper.settled.state
        state.held = state.held._replace(renew_at=0)
        url = asyncio.ensure_future(client.generate_presigned_url("get_object", OBJECT))
        for _ in range(50):
            await asyncio.sleep(0)
        assert first in url.result()
        arrived = iter(lambda: count(aws) == 3, True)  # or the next test would see it
        for _ in arrived:
            await asyncio.sleep(0.01)
        release.set()

    run(work, sign_in_deadline_seconds=1)
    assert len(warnings_of(caplog)) == 1


def test_url_is_not_waited_for_twice_in_the_last_minute(
    aws: Aws, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()

    async def work(client: Any, first: str) -> None:
        ends = watch_waits(client._get_credentials(), monkeypatch)
        aws.inject(Fault(until=release))
        assert first in await client.generate_presigned_url("get_object", OBJECT)
        release.set()
        assert set(ends) == {ends[0]}

    run(work)


def test_source_that_is_down_fails_no_url_and_is_asked_once(
    aws: Aws, run: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    async def work(client: Any, first: str) -> None:
        aws.inject(Fault(status=403, body=build_error("AccessDenied")), times=9)
        for _ in range(100):
            url = await client.generate_presigned_url("get_object", OBJECT)
            assert first in url

    run(work)
    assert count(aws) == 2
    assert len(warnings_of(caplog)) == 1


def test_cancelled_url_leaves_the_renewal_to_the_others(
    aws: Aws, run: Callable[..., Any]
) -> None:
    release = threading.Event()

    async def work(client: Any, first: str) -> None:
        aws.inject(Fault(until=release))
        one, other = (
            asyncio.ensure_future(client.generate_presigned_url("get_object", OBJECT))
            for _ in range(2)
        )
        await asyncio.sleep(0)
        one.cancel()
        release.set()
        assert first not in await other
        with pytest.raises(asyncio.CancelledError):
            await one

    run(work)
    assert count(aws) == 2


def test_url_that_would_end_early_is_an_error_where_the_connection_says_so(
    aws: Aws, run: Callable[..., Any], leaks: Leaks
) -> None:
    async def work(client: Any, first: str) -> None:
        with pytest.raises(PresignedUrlError) as raised:
            await client.generate_presigned_url("get_object", OBJECT, WEEK)
        leaks.check_error(raised.value)
        assert first in await client.generate_presigned_url("get_object", OBJECT, 60)

    run(work, age=0, left=HOUR, presigned_urls="error")
    assert count(aws) == 1


def test_presigners_look_as_ever(run: Callable[..., Any]) -> None:
    async def work(client: Any, _: str) -> None:
        for name in ("generate_presigned_url", "generate_presigned_post"):
            ours, theirs = getattr(type(client), name), getattr(signers, name)
            assert inspect.iscoroutinefunction(ours)
            assert inspect.signature(ours) == inspect.signature(theirs)

    run(work)


def wrap_plainly(class_attributes: dict[str, Any], **_: Any) -> None:
    theirs = class_attributes["generate_presigned_url"]

    def plain(*args: Any, **kwargs: Any) -> Any:
        return theirs(*args, **kwargs)

    class_attributes["generate_presigned_url"] = plain


@pytest.mark.filterwarnings("error")
def test_url_of_a_presigner_that_a_program_wrapped_is_looked_after(
    aws: Aws, connection: Giver
) -> None:
    connection.put(role_arn=ROLE, botocore_conn_provider={"presigned_urls": "error"})
    aws.inject(Fault(expires_in_seconds=3000))

    async def ask() -> None:
        session = get_session()
        events = session.get_component("event_emitter")
        events.register("creating-client-class", wrap_plainly)
        credentials = await session.get_credentials()
        first = (await credentials.get_frozen_credentials()).access_key
        hold(credentials, age=600)
        async with session.create_client("s3", config=V4) as client:
            assert first not in await client.generate_presigned_url(
                "get_object", OBJECT
            )
            with pytest.raises(PresignedUrlError):
                await client.generate_presigned_url("get_object", OBJECT, WEEK)

    asyncio.run(ask())
    gc.collect()  # where a coroutine that nobody awaited is told of
    assert count(aws) == 2


@pytest.mark.filterwarnings("error")
def test_presigner_that_a_program_wrapped_as_a_plain_function_blocks_no_loop(
    aws: Aws, connection: Giver
) -> None:
    connection.put(role_arn=ROLE, botocore_conn_provider={"presigned_urls": "error"})
    release = threading.Event()
    aws.inject(Fault(until=release))

    async def ask() -> None:
        session = get_session()
        events = session.get_component("event_emitter")
        events.register("creating-client-class", wrap_plainly)
        async with session.create_client("s3", config=V4) as client:
            url = asyncio.ensure_future(
                client.generate_presigned_url("get_object", OBJECT)
            )
            for _ in range(50):  # turns of the loop, with the exchange under way
                await asyncio.sleep(0)
            assert not url.done()
            release.set()
            assert "Signature" in await url

    asyncio.run(ask())


def test_url_that_keys_of_the_caller_sign_is_left_alone(
    aws: Aws, run: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    async def work(_: Any, first: str) -> None:
        keys = {"aws_access_key_id": "AKIAOTHER", "aws_secret_access_key": "other"}
        async with get_session().create_client("s3", **keys) as client:
            url = await client.generate_presigned_url("get_object", OBJECT, WEEK)
        assert first not in url
        assert "AKIAOTHER" in url

    run(work, presigned_urls="error")
    assert count(aws) == 1
    assert warnings_of(caplog) == []


def test_presigners_take_their_time_where_we_read_it() -> None:
    for name, (place, usual) in PRESIGNERS.items():
        theirs = getattr(signers, name, None) or getattr(signers, f"dsql_{name}", None)
        if theirs is None:
            assert "db_connect" in name  # younger than the oldest aiobotocore
            continue
        taken = list(inspect.signature(theirs).parameters.values())[1:]
        times = [(n, p.default) for n, p in enumerate(taken) if p.name == "ExpiresIn"]
        assert times == ([] if place is None else [(place, usual)])
