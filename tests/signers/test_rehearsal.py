"""Libraries that freeze keys are found by a rehearsal, each by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rehearsal.stage import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets

# What its functions on Ray do: they hand the session's keys to the workers.
AWSWRANGLER = """
    from awswrangler._utils import boto3_to_primitives
    handed = boto3_to_primitives(session)
    outlive(handed)
    given = {name: value for name, value in handed.items() if name != "profile_name"}
    worker = boto3.Session(**given).client("s3", **OPTIONS)
    try:
        worker.list_buckets()
    except worker.exceptions.ClientError as error:
        print(error.response["Error"]["Code"])
"""
AWSWRANGLER_LOCAL = """
    import awswrangler
    awswrangler.config.s3_endpoint_url = AWS
    ends = time.monotonic() + 5
    while time.monotonic() < ends:
        awswrangler.s3.list_buckets()
"""
LANGCHAIN = """
    from langchain_aws import utils
    os.environ["AWS_REGION"] = "eu-west-1"
    client = utils.create_aws_bedrock_runtime_client(region_name="eu-west-1")
    outlive(client)
"""


@pytest.fixture
def stage(aws: Aws, secrets: Secrets, leaks: Leaks, tmp_path: Path) -> Stage:
    place = tmp_path / "stage"
    place.mkdir()
    return Stage(aws, secrets, leaks, place)


def test_awswrangler_that_hands_keys_to_ray_is_found_by_name(stage: Stage) -> None:
    ended = stage.rehearse(AWSWRANGLER)
    assert ended.stdout == "ExpiredToken\n", ended.stderr
    assert ended.returncode == 1
    takers = {each for each in ended.takers if "(boto3_to_primitives)" in each}
    assert takers == ended.takers
    assert all(each.startswith("awswrangler/_utils.py:") for each in takers)
    assert all(" of awswrangler 3" in each for each in takers)


def test_awswrangler_in_one_process_is_clean(stage: Stage) -> None:
    ended = stage.rehearse(AWSWRANGLER_LOCAL)
    assert ended.returncode == 0, ended.stderr
    assert ended.report["kept"] == []
    assert len(ended.report["sets"]) > 2


def test_langchains_async_client_of_bedrock_is_named(stage: Stage) -> None:
    pytest.importorskip("aws_sdk_bedrock_runtime")
    ended = stage.rehearse(LANGCHAIN)
    assert ended.returncode == 0, ended.stderr
    (kept,) = ended.report["kept"]
    assert kept["by"].startswith("langchain_aws/utils.py:")
    assert " of langchain-aws 1" in kept["by"]
    assert "called from job.py:" in kept["by"]
