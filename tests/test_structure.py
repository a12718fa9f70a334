"""Names that a reader can rely on: one file, one class of each name."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import botocore_conn_provider

PACKAGE = Path(botocore_conn_provider.__file__).parent
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
