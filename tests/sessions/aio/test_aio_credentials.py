from __future__ import annotations

import asyncio
import pickle
import threading
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from aiobotocore.credentials import AioCredentials, AioRefreshableCredentials
from aiobotocore.session import get_session

import botocore_conn_provider
from botocore_conn_provider.renewal import loop_wait
from botocore_conn_provider.renewal.keeper import Keeper
from botocore_conn_provider.renewal.runtime import Runtime
from botocore_conn_provider.sessions.aio.aio_credentials import (
    LONG_AGO,
    AioKeptCredentials,
)
from tests.aws import Fault, build_error
from tests.renewal.simulation import issue
from tests.sessions.aio.conftest import ROLE

if TYPE_CHECKING:
    from botocore_conn_provider.exchange.flow import TemporaryCredentials
    from tests.aws import Aws
    from tests.leaks import Leaks
    from tests.sessions.aio.conftest import Giver

CROWD = 1000
# A set in its mandatory window, and the seconds that it has left then.
LIFETIME, LEFT = 60, 8


async def load() -> Any:
    return await get_session().get_credentials()


def test_credentials_are_aiobotocores_own_kind(aws: Aws, connection: Giver) -> None:
    connection.put(role_arn=ROLE)

    async def ask() -> None:
        kept = await load()
        assert isinstance(kept, AioRefreshableCredentials)
        assert (kept._expiry_time, kept.refresh_needed()) == (LONG_AGO, True)
        assert aws.sts_requests == []
        frozen = await kept.get_frozen_credentials()
        assert await kept.get_access_key() == frozen.access_key
        assert await kept.get_secret_key() == frozen.secret_key
        assert await kept.get_token() == frozen.token
        assert await kept.get_account_id() == "123456789012"
        assert kept._expiry_time > LONG_AGO
        assert not kept.refresh_needed()
        assert repr(kept) == "AioKeptCredentials(method='conn-assume-role')"

    asyncio.run(ask())
    assert len(aws.sts_requests) == 1


def test_static_keys_are_aiobotocores_own_kind(connection: Giver) -> None:
    connection.put()
    kept = asyncio.run(load())
    assert isinstance(kept, AioCredentials)
    assert (kept.method, kept.access_key) == ("conn-static", connection.access_key_id)


@pytest.mark.parametrize("extra", [{}, {"role_arn": ROLE}])
def test_pickle_holds_the_recipe_only(
    connection: Giver, leaks: Leaks, extra: dict[str, Any]
) -> None:
    connection.put(**extra)

    async def ask() -> None:
        kept = await load()
        await kept.get_frozen_credentials()
        leaks.check_pickle(kept)
        again = pickle.loads(pickle.dumps(kept))  # noqa: S301
        assert type(again) is type(kept)
        frozen = await kept.get_frozen_credentials()
        assert await again.get_frozen_credentials() == frozen

    asyncio.run(ask())


def test_crowd_of_coroutines_asks_once(aws: Aws, connection: Giver) -> None:
    connection.put(role_arn=ROLE)

    async def ask() -> set[str]:
        kept = await load()
        sets = [kept.get_frozen_credentials() for _ in range(CROWD)]
        return {frozen.access_key for frozen in await asyncio.gather(*sets)}

    assert len(asyncio.run(ask())) == 1
    assert len(aws.sts_requests) == 1


def test_loops_threads_and_botocore_share_one_exchange(
    aws: Aws, connection: Giver
) -> None:
    connection.put(role_arn=ROLE)

    async def ask() -> str:
        frozen = await (await load()).get_frozen_credentials()
        key: str = frozen.access_key
        return key

    keys = {asyncio.run(ask()), asyncio.run(ask())}
    kept = boto3.session.Session().get_credentials()
    assert kept is not None
    keys.add(str(kept.get_frozen_credentials().access_key))
    assert len(keys) == 1
    assert len(aws.sts_requests) == 1


def test_loop_goes_on_while_the_exchange_hangs(aws: Aws, connection: Giver) -> None:
    release = threading.Event()
    aws.inject(Fault(until=release))
    connection.put(role_arn=ROLE)

    async def ask() -> None:
        kept = await load()
        waiter = asyncio.ensure_future(kept.get_frozen_credentials())
        for _ in range(50):  # turns of the loop, with the exchange under way
            await asyncio.sleep(0)
        assert not waiter.done()
        release.set()
        await waiter

    asyncio.run(ask())


def test_cancelled_waiter_leaves_the_renewal_to_the_others(
    aws: Aws, connection: Giver
) -> None:
    release = threading.Event()
    aws.inject(Fault(until=release))
    connection.put(role_arn=ROLE)

    async def ask() -> None:
        kept = await load()
        first, second = (
            asyncio.ensure_future(kept.get_frozen_credentials()) for _ in range(2)
        )
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        release.set()
        assert (await second).access_key.startswith("ASIA")

    asyncio.run(ask())
    assert len(aws.sts_requests) == 1


def test_failure_reaches_everyone_who_waits(aws: Aws, connection: Giver) -> None:
    aws.inject(Fault(status=403, body=build_error("AccessDenied")))
    connection.put(role_arn=ROLE)

    async def ask() -> list[Any]:
        kept = await load()
        sets = [kept.get_frozen_credentials() for _ in range(20)]
        return await asyncio.gather(*sets, return_exceptions=True)

    ended = asyncio.run(ask())
    kinds = {type(error) for error in ended}
    assert kinds == {botocore_conn_provider.StsExchangeError}
    assert len(aws.sts_requests) == 1


def test_hung_exchange_is_given_up_at_its_deadline(
    aws: Aws, connection: Giver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop_wait, "ASK_AGAIN_SECONDS", 0.05)
    release = threading.Event()
    aws.inject(Fault(until=release))
    connection.put(
        role_arn=ROLE, botocore_conn_provider={"sign_in_deadline_seconds": 1}
    )

    async def ask() -> None:
        await (await load()).get_frozen_credentials()

    with pytest.raises(
        botocore_conn_provider.CredentialFetchError, match="within the deadline"
    ):
        asyncio.run(ask())
    release.set()


def test_set_in_hand_is_served_while_it_is_renewed(aws: Aws, connection: Giver) -> None:
    # Within the advisory window from the start: the second use begins a renewal.
    aws.inject(Fault(expires_in_seconds=200))
    connection.put(role_arn=ROLE, botocore_conn_provider={"advisory_seconds": 190})

    async def ask() -> tuple[str, str]:
        kept = await load()
        first = await kept.get_frozen_credentials()
        second = await kept.get_frozen_credentials()
        return first.access_key, second.access_key

    first, second = asyncio.run(ask())
    assert first == second


def test_coroutine_leaves_with_the_valid_set_while_the_source_hangs() -> None:
    shift, hung = 0.0, threading.Event()
    asked: list[float] = []

    def fetch(_: Any) -> TemporaryCredentials:
        asked.append(shift)
        if len(asked) > 1:
            hung.wait(60)
        return issue(len(asked), time.time() + LIFETIME)

    runtime = Runtime(elapsed=lambda: time.monotonic() + shift)
    keeper = Keeper(fetch, conn_id="x", runtime=runtime)
    kept = AioKeptCredentials(keeper, method="m", recipe=(str, ()))

    async def ask() -> None:
        nonlocal shift
        first = await kept.get_frozen_credentials()
        shift = LIFETIME - LEFT
        began = time.monotonic()
        crowd = [kept.get_frozen_credentials() for _ in range(100)]
        assert set(await asyncio.gather(*crowd)) == {first}
        assert time.monotonic() - began < LEFT

    asyncio.run(ask())
    hung.set()
    assert len(asked) == 2
