"""The table of engines has advice where the page says that one is somebody else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from botocore_conn_provider import bridges
from botocore_conn_provider.cli.engine_table import ENGINES, PythonEngine
from botocore_conn_provider.cli.neighbours import frozen_keys

PAGE = Path(__file__).parents[3] / "docs" / "engines.md"
IN_PYTHON = [each for each in ENGINES if isinstance(each, PythonEngine)]


def read_activated() -> dict[str, str]:
    """Return as whom each engine signs where boto3 has the connection."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|", PAGE.read_text(), re.MULTILINE)
    return {name.strip(): identity.strip(" *") for name, identity in rows}


@pytest.mark.parametrize("engine", IN_PYTHON, ids=lambda engine: engine.name)
def test_advice_is_for_those_that_are_somebody_else(engine: PythonEngine) -> None:
    is_reached = read_activated()[engine.name] == "connection"
    assert bool(engine.advice) is not is_reached


def test_bridges_that_are_named_are_there() -> None:
    told = [each.advice for each in IN_PYTHON]
    told += [each.fix for each in frozen_keys.FREEZERS]
    named = set(re.findall(r"bridges\.(\w+)\(", " ".join(told)))
    assert named == set(bridges.__all__)
