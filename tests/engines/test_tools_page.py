"""The table of docs/bridges.md, row by row, with the real libraries."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.engines.guarded_s3 import EXPIRED, GuardedS3
from tests.engines.reading import LIFE_SECONDS, SHORT_LIVED
from tests.engines.test_bridges import BRIDGED

if TYPE_CHECKING:
    from tests.aws import Aws
    from tests.engines.reading import StartReader

PAGE = Path(__file__).parents[2] / "docs" / "bridges.md"
DISTRIBUTIONS = {"lance": "pylance", "s3torchconnector": "s3torchconnectorclient"}
WAYS = {"unchanged": "_unchanged", "a bridge": "", "engines on": "_endpoint"}
AWAITED = "obstore, awaited"
FROM_MEMORY, AT_A_FAILURE = "new ones in time", "new ones after a refusal"


class Row(NamedTuple):
    tool: str
    version: str
    way: str
    at_the_end: str

    @property
    def reader(self) -> str:
        """The name of the program that reads so."""
        name = "obstore_async" if self.tool == AWAITED else self.name
        return f"{name}{WAYS[self.way]}"

    @property
    def name(self) -> str:
        return self.tool.partition(",")[0].lower()

    @property
    def distribution(self) -> str:
        return DISTRIBUTIONS.get(self.name, self.name)


def read_rows() -> list[Row]:
    table = PAGE.read_text().partition("<!-- table -->")[2]
    lines = table.partition("<!-- end of table -->")[0].strip().splitlines()[2:]
    return [
        Row(*(c.strip(" *`") for c in line.strip("|").split("|"))) for line in lines
    ]


ROWS = read_rows()
READ_HERE = [row for row in ROWS if row.way != "a bridge"]


def test_every_program_that_reads_is_a_row() -> None:
    here = {
        path.stem.removeprefix("read_")
        for path in (Path(__file__).parent / "readers").glob("read_*.py")
    }
    assert {row.reader for row in ROWS} == here - {"polars_delta"}
    bridged = {row.reader for row in ROWS if row.way == "a bridge"}
    assert bridged == set(BRIDGED)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.reader)
def test_version_of_the_page_is_no_newer_than_what_is_tried(row: Row) -> None:
    tried = importlib.metadata.version(row.distribution)
    assert as_numbers(row.version) <= as_numbers(tried)


def as_numbers(version: str) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", version)]


@pytest.mark.parametrize("row", READ_HERE, ids=lambda row: row.reader)
def test_tool_reads_on_when_its_credentials_have_ended(
    row: Row, aws: Aws, s3: GuardedS3, start_reader: StartReader
) -> None:
    aws.inject(SHORT_LIVED, times=100)
    with start_reader(row.reader) as reader:
        reader.read_until("rows")
        found = reader.read_for(2 * LIFE_SECONDS)

    assert [each for each in found if "error" in each] == []
    assert {str(each) for each in s3.key_ids} <= set(aws.issued)
    assert len(s3.key_ids) >= 3
    refused = {FROM_MEMORY: set(), AT_A_FAILURE: {EXPIRED}}
    assert s3.refusals == refused[row.at_the_end]
