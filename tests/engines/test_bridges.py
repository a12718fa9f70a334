"""Each bridge with its library, at an S3 that refuses expired and foreign keys."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.aws import Fault, build_error
from tests.engines.guarded_s3 import EXPIRED, GuardedS3
from tests.engines.reading import LIFE_SECONDS, SHORT_LIVED

if TYPE_CHECKING:
    from tests.aws import Aws
    from tests.engines.reading import StartReader

BRIDGED = (
    "awscrt",
    "daft",
    "duckdb",
    "lance",
    "obstore",
    "obstore_async",
    "polars",
    "pyarrow",
)
REFUSED = Fault(403, build_error("AccessDenied", "not you"))


@pytest.mark.parametrize("name", BRIDGED)
def test_bridge_reads_across_renewals_and_adds_no_call_of_sts(
    name: str, aws: Aws, s3: GuardedS3, start_reader: StartReader
) -> None:
    aws.inject(SHORT_LIVED, times=100)
    with start_reader(name) as reader:
        reader.read_until("rows")
        began = time.monotonic()
        found = reader.read_for(2 * LIFE_SECONDS)
        took = time.monotonic() - began

    assert [each for each in found if "error" in each] == []
    assert s3.refusals == set()
    assert {str(each) for each in s3.key_ids} <= set(aws.issued)
    assert len(s3.key_ids) >= 3
    # A boto3 client would have asked as often: at the start, and after each half life.
    assert len(aws.issued) <= 2 + took / (LIFE_SECONDS / 2)


@pytest.mark.parametrize("name", BRIDGED)
def test_bridge_serves_to_the_end_while_the_source_refuses_and_recovers(
    name: str, aws: Aws, s3: GuardedS3, start_reader: StartReader
) -> None:
    aws.inject(SHORT_LIVED)
    aws.inject(REFUSED, times=10_000)
    with start_reader(name) as reader:
        reader.read_until("rows")
        (ends_at,) = aws.issued.values()
        while time.time() < ends_at - 1:
            assert "rows" in reader.read_next()
        reader.read_until("error")
        aws.stop_faults()
        reader.read_until("rows")

    # Nothing was signed by anybody else; a library may have used what had just ended.
    assert {str(each) for each in s3.key_ids} <= set(aws.issued)
    assert s3.refusals <= {EXPIRED}


def test_bridge_of_polars_serves_delta_tables_too(
    aws: Aws, s3: GuardedS3, start_reader: StartReader
) -> None:
    with start_reader("polars_delta") as reader:
        assert reader.read_next() == {"rows": 3}

    assert s3.key_ids == list(aws.issued)


@pytest.mark.parametrize("name", [*BRIDGED, "polars_delta"])
def test_bridge_asks_nothing_of_s3_where_the_source_refuses(
    name: str, aws: Aws, s3: GuardedS3, start_reader: StartReader
) -> None:
    aws.inject(REFUSED, times=10_000)
    with start_reader(name) as reader:
        report = reader.read_until("error")

    assert s3.judged == []
    # awscrt's own error says nothing: Python prints ours.
    assert "not you" in (reader.errors if name == "awscrt" else report["error"])
