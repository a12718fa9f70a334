"""Versions are compared as pip compares them; what is not understood is not judged."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement as PipsRequirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from botocore_conn_provider.cli.installed_packages import read_requirement
from botocore_conn_provider.cli.neighbours.versions import (
    is_allowed,
    order,
    read_version,
)
from tests.thoroughness import examples

numbers = st.integers(0, 3).map(str)
releases = st.lists(numbers, min_size=1, max_size=4).map(".".join)
suffixes = st.sampled_from(
    " , , a1,b2,rc1,c1,.post1,-1,.dev0,.dev3,a1.dev2,.post1.dev2,rc1.post2,.RC2,"
    "-preview3,+local.1".replace(" ", "").split(",")
)
epochs = st.sampled_from(["", "", "", "1!", "v"])
versions = st.builds("{}{}{}".format, epochs, releases, suffixes)
public = versions.filter(lambda text: "+" not in text)
specifiers = st.one_of(
    st.builds("{}{}".format, st.sampled_from(["<", "<=", ">", ">="]), public),
    st.builds("{}{}".format, st.sampled_from(["==", "!="]), versions),
    st.builds("{}{}.*".format, st.sampled_from(["==", "!="]), releases),
    st.builds(
        "~={}.{}{}".format, releases, numbers, suffixes.filter(lambda s: "+" not in s)
    ),
)


@settings(max_examples=examples(500), deadline=None)
@given(version=versions, wanted=st.lists(specifiers, max_size=3))
def test_allowed_is_what_pip_allows(version: str, wanted: list[str]) -> None:
    text = ",".join(wanted)
    theirs = SpecifierSet(text).contains(version, prereleases=True)
    assert is_allowed(version, text) is theirs


@settings(max_examples=examples(300), deadline=None)
@given(one=public, other=public)
def test_order_is_pips(one: str, other: str) -> None:
    mine, yours = read_version(one), read_version(other)
    assert mine is not None
    assert yours is not None
    assert (order(mine) < order(yours)) is (Version(one) < Version(other))


@pytest.mark.parametrize(
    ("version", "wanted", "allowed"),
    [
        ("1.43.117", ">=1.43.115,<1.43.118", True),
        ("1.43.117.dev0", ">=1.43.115,<1.43.118", True),
        ("1.43.118.dev0", ">=1.43.115,<1.43.118", False),
        ("2!1.0", "<2", False),
        ("1.44.8", "<1.45.0, >=1.44.8", True),
        ("1.44.8", "<2.0a.0,>=1.37.4", True),
        ("1.44.8", "", True),
        ("1.0.post1", ">1.0", False),
        ("1.0.post1", ">1.0a1", True),
        ("1.0.dev1", "<1.0.post1", True),
        ("1.0rc1.post2", "<1.0", False),
    ],
)
def test_versions_that_are_met(version: str, wanted: str, allowed: bool) -> None:  # noqa: FBT001 - a case
    assert is_allowed(version, wanted) is allowed


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        ("of today", ">=1"),
        ("", ">=1"),
        ("1.0", "===1.0"),
        ("1.0", "about 1"),
        ("1.0", ">=1.*"),
        ("1.0", "~=1"),
        ("1" * 5000, ">=1"),
    ],
)
def test_what_is_not_understood_is_not_judged(version: str, wanted: str) -> None:
    assert is_allowed(version, wanted) is None


@pytest.mark.parametrize(
    "line",
    [
        "botocore (<1.45.0,>=1.44.8)",
        "botocore<1.43.118,>=1.43.115",
        "Boto_Core.X [crt, other]>=1",
        "botocore",
    ],
)
def test_requirement_is_read_as_pip_reads_it(line: str) -> None:
    mine, theirs = read_requirement(line), PipsRequirement(line)
    assert mine is not None
    assert mine.name == theirs.name.lower().replace("_", "-").replace(".", "-")
    assert SpecifierSet(mine.specifiers) == theirs.specifier


def test_long_line_is_read_at_once() -> None:
    """A pattern with many ways to match would take hours."""
    assert read_requirement(f"botocore{' ' * 100_000}(") is None
    assert read_requirement(f"botocore{' ' * 100_000}<1") is not None


@pytest.mark.parametrize(
    "line",
    [
        "botocore (<1) ; extra == 'boto3'",
        "botocore<1; python_version < '3.11'",
        "botocore @ https://example.org/botocore.whl",
        "",
        "(<1)",
        "botocore (<1",
    ],
)
def test_requirement_that_depends_on_anything_is_left_out(line: str) -> None:
    assert read_requirement(line) is None
