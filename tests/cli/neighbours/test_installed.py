"""Metadata of packages are read, whatever state they are in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from botocore_conn_provider.cli.engine_table import is_importable
from botocore_conn_provider.cli.installed_packages import (
    list_requiring,
    read_installed,
    read_one,
)
from tests.cli.neighbours.packages import Package, install
from tests.cli.neighbours.test_children import BREAKS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


def test_what_is_there_is_read(packages: Path) -> None:
    install(packages, Package("a-b", "1.0", ["Other_One (<2)", "c; extra == 'x'"]))
    install(packages, Package("d"))
    found = read_installed(["a-b", "d", "not-there"])
    assert [each.name for each in found.values()] == ["a-b", "d"]
    assert (found["a-b"].version, found["d"].version) == ("1.0", None)
    assert [tuple(each) for each in found["a-b"].requirements] == [("other-one", "<2")]


@pytest.mark.parametrize("how", BREAKS, ids=lambda how: how.__name__)
def test_one_that_is_broken_hides_no_other(how: Any, packages: Path) -> None:
    install(packages, Package("broken", "1.0", ["x-y"]))
    install(packages, Package("whole", "1.0", ["x-y>1"]))
    how(packages / "broken-1.0.dist-info")
    assert "whole" in list_requiring("x-y")
    assert read_one("whole") is not None


@pytest.mark.parametrize(
    ("line", "is_named"),
    [
        ("awscrt", True),
        ("awscrt==0.38.0 ; extra == 'crt'", True),
        ("awscrt [x] (>1)", True),
        ("awscrt-extension", False),
        ("awscrt.other", False),
        ("not-awscrt", False),
    ],
)
def test_only_the_very_name_is_required(
    line: str,
    is_named: bool,  # noqa: FBT001 - a case
    packages: Path,
) -> None:
    install(packages, Package("user", "1.0", [line]))
    assert ("user" in list_requiring("awscrt")) is is_named


def test_module_that_somebody_put_there_is_looked_at_without_an_error(
    packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "polars", type(sys)("polars"))
    assert not is_importable("polars")
    monkeypatch.setitem(sys.modules, "polars", None)
    assert not is_importable("polars")
    (packages / "empty_one").mkdir()
    assert not is_importable("empty_one")
