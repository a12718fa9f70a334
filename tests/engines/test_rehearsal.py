"""Libraries that renew come out of a rehearsal clean; those that keep keys are named."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rehearsal.stage import Stage

if TYPE_CHECKING:
    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets

ROOT = Path(__file__).parents[2]
S3FS = """
    import s3fs
    place = dict(endpoint_url=AWS, client_kwargs={"region_name": "eu-west-1"})
    frozen = session.get_credentials().get_frozen_credentials()
"""
S3FS_WITH_KEYS = f"""{S3FS}
    outlive(frozen)
    files = s3fs.S3FileSystem(
        key=frozen.access_key, secret=frozen.secret_key, token=frozen.token, **place
    )
    try:
        files.ls("")
    except PermissionError:
        print("refused")
"""
S3FS_BY_ITSELF = f"""{S3FS}
    files = s3fs.S3FileSystem(**place)
    ends = time.monotonic() + 5
    while time.monotonic() < ends:
        files.ls("", refresh=True)
"""
OBSTORE = """
    session.client("s3", **OPTIONS).create_bucket(
        Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    from obstore.store import S3Store
    place = dict(
        bucket="bucket", endpoint=AWS, region="eu-west-1",
        client_options={"allow_http": True}, virtual_hosted_style_request=False,
    )
    frozen = session.get_credentials().get_frozen_credentials()
"""
OBSTORE_WITH_KEYS = f"""{OBSTORE}
    store = S3Store(
        access_key_id=frozen.access_key, secret_access_key=frozen.secret_key,
        session_token=frozen.token, **place,
    )
    store.list_with_delimiter()
    outlive(frozen)
    store.list_with_delimiter()
"""
OBSTORE_BY_BRIDGE = f"""{OBSTORE}
    from botocore_conn_provider import bridges
    store = S3Store(credential_provider=bridges.obstore(), **place)
    ends = time.monotonic() + 5
    while time.monotonic() < ends:
        store.list_with_delimiter()
        time.sleep(0.05)
"""

OBSTORE_BY_ENDPOINT = f"""{OBSTORE}
    store = S3Store(**place)
    ends = time.monotonic() + 5
    while time.monotonic() < ends:
        store.list_with_delimiter()
        time.sleep(0.05)
"""
EXAMPLE = """
    import runpy
    session.client("s3", **OPTIONS).create_bucket(
        Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    example = sys.argv[1]
    sys.argv[1:] = ["s3://bucket/table.csv"]
    ends = time.monotonic() + 5
    while time.monotonic() < ends:
        runpy.run_path(example, run_name="__main__")
"""


@pytest.fixture
def stage(aws: Aws, secrets: Secrets, leaks: Leaks, tmp_path: Path) -> Stage:
    place = tmp_path / "stage"
    place.mkdir()
    return Stage(aws, secrets, leaks, place)


def test_s3fs_with_keys_is_found_by_name(stage: Stage) -> None:
    ended = stage.rehearse(S3FS_WITH_KEYS)
    assert ended.stdout == "refused\n", ended.stderr
    assert ended.returncode == 1
    assert all(each.startswith("s3fs/core.py:") for each in ended.users)
    assert all(" of s3fs 20" in each for each in ended.users)
    assert [each.partition(":")[0] for each in ended.takers] == ["job.py"]


def test_s3fs_that_finds_the_connection_is_clean(stage: Stage) -> None:
    ended = stage.rehearse(S3FS_BY_ITSELF)
    assert ended.returncode == 0, ended.stderr
    assert len(ended.report["sets"]) > 2
    assert stage.exchanges == len(ended.report["sets"])


def test_obstore_with_keys_is_told_to_be_unseen_by_name(stage: Stage) -> None:
    ended = stage.rehearse(OBSTORE_WITH_KEYS)
    assert ended.returncode == 0, ended.stderr
    (kept,) = ended.report["kept"]
    assert kept["by"].startswith("job.py:")
    assert "obstore" in ended.report["unseen"]


def test_bridge_to_obstore_asks_again_in_time(stage: Stage) -> None:
    ended = stage.rehearse(OBSTORE_BY_BRIDGE)
    assert ended.returncode == 0, ended.stderr
    assert ended.report["readers"] == ["the bridge to obstore"]
    assert all(each["by"].startswith("job.py:") for each in ended.report["kept"])
    assert stage.exchanges == len(ended.report["sets"])


def test_engine_that_asks_the_endpoint_comes_back_in_time(stage: Stage) -> None:
    ended = stage.rehearse(OBSTORE_BY_ENDPOINT, env={"BOTOCORE_CONN_ENGINES": "on"})
    assert ended.returncode == 0, ended.stderr
    assert ended.report["readers"] == ["an engine that asks the endpoint"]
    assert "obstore" in ended.report["unseen"]
    assert stage.exchanges == len(ended.report["sets"])


def test_our_example_of_pandas_is_clean(stage: Stage) -> None:
    job = stage.write(EXAMPLE)
    example = str(ROOT / "examples" / "pandas" / "table.py")
    stage.connect(
        role_arn="arn:aws:iam::123456789012:role/reader", endpoint_url=stage.aws.url
    )
    ended = stage.run(sys.executable, job, example)
    assert ended.returncode == 0, ended.stderr
    assert set(ended.stdout.split()) == {"851"}
    assert len(ended.report["sets"]) > 2
    assert ended.report["dead_uses"] == ended.report["kept"] == []
