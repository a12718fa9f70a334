"""A rehearsal sees aiobotocore's clients as it sees botocore's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rehearsal.stage import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets

BEGIN = """
    import asyncio
    from aiobotocore.session import get_session
    loop = asyncio.new_event_loop()
    theirs = get_session()
    async def call(service, operation, **keys):
        async with theirs.create_client(service, **OPTIONS, **keys) as client:
            try:
                await getattr(client, operation)()
            except client.exceptions.ClientError as error:
                print(service, error.response["Error"]["Code"])
"""
KEEPS = f"""{BEGIN}
    async def main():
        kept = await theirs.get_credentials()
        frozen = await kept.get_frozen_credentials()
        await asyncio.to_thread(outlive, frozen)
        for service, operation in (
            ("s3", "list_buckets"),
            ("sts", "get_caller_identity"),
            ("dynamodb", "list_tables"),
            ("kinesis", "list_streams"),
        ):
            await call(service, operation, **name_keys(frozen))
    loop.run_until_complete(main())
"""
RENEWS = f"""{BEGIN}
    async def main():
        async with theirs.create_client("s3", **OPTIONS) as client:
            ends = time.monotonic() + 5
            while time.monotonic() < ends:
                await asyncio.gather(*(client.list_buckets() for _ in range(10)))
        kept = await theirs.get_credentials()
        await kept.get_frozen_credentials()
    loop.run_until_complete(main())
"""


@pytest.fixture
def stage(aws: Aws, secrets: Secrets, leaks: Leaks, tmp_path: Path) -> Stage:
    place = tmp_path / "stage"
    place.mkdir()
    return Stage(aws, secrets, leaks, place)


def test_frozen_keys_are_refused_as_aws_would_and_named(stage: Stage) -> None:
    ended = stage.rehearse(KEEPS)
    assert ended.stdout.splitlines() == [
        "s3 ExpiredToken",
        "sts ExpiredToken",
        "dynamodb ExpiredTokenException",
        "kinesis ExpiredTokenException",
    ], ended.stderr
    assert ended.returncode == 1
    assert {each.partition(":")[0] for each in ended.users} == {"job.py"}
    assert [each.partition(":")[0] for each in ended.takers] == ["job.py"]


def test_clients_that_renew_are_clean(stage: Stage) -> None:
    ended = stage.rehearse(RENEWS)
    assert ended.returncode == 0, ended.stderr
    assert ended.report["kept"] == []
    assert len(ended.report["sets"]) > 2
    assert stage.exchanges == len(ended.report["sets"])
