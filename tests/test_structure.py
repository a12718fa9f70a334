"""Names that a reader can rely on: one file, one class of each name."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

import botocore_conn_provider

PACKAGE = Path(botocore_conn_provider.__file__).parent
CHECKOUT = PACKAGE.parent
MODULES = sorted(PACKAGE.rglob("*.py"))
# Python's own names, and the one that PYTHONPATH asks for.
GIVEN = ("__init__.py", "__main__.py", "sitecustomize.py")


def list_classes() -> list[str]:
    return [
        node.name
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    ]


def find_repeated(names: list[str]) -> dict[str, int]:
    return {name: count for name, count in Counter(names).items() if count > 1}


def test_no_two_files_have_one_name() -> None:
    names = [path.name for path in MODULES if path.name not in GIVEN]
    assert len(names) > 100
    assert find_repeated(names) == {}


def test_no_two_classes_have_one_name() -> None:
    names = list_classes()
    assert len(names) > 100
    assert find_repeated(names) == {}


# Words that only we used, or that read like a riddle. The field has better ones.
RIDDLES = re.compile(
    r"\bin hand\b|\banew\b|\bwhoever\b|\bmend(s|ed|ing)?\b|what guards what|# late\b"
    r"|\b(say|tell) whether\b|twice is once|\bis no field\b|\bno key has\b",
    re.IGNORECASE,
)
PAGES = [*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/*.md")]


@pytest.mark.parametrize("path", [*MODULES, *PAGES], ids=lambda path: path.name)
def test_words_are_those_of_the_field(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = [f"{path.name}: {match[0]}" for match in RIDDLES.finditer(text)]
    assert found == []
