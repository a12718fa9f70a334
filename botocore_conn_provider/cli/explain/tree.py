"""Lay out nested texts as a tree: for people on a terminal with rich, else plain.

One document serves people and machines: what `--json` writes is what the tree
shows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from rich.tree import Tree

BRANCH, LAST, LINE, SPACE = "├─ ", "└─ ", "│  ", "   "


class Branch(NamedTuple):
    """A line of the tree, and what hangs below it."""

    label: str
    below: tuple[Branch, ...] = ()


def write_outline(title: str, document: Mapping[str, Any]) -> None:
    """Write the tree to standard output."""
    branches = grow(document)
    if sys.stdout.isatty():
        try:
            from rich.console import Console  # of the extra [cli]; slow to import
        except ImportError:
            pass
        else:
            Console().print(build_tree(title, branches))
            return
    sys.stdout.write("\n".join([title, *list_lines(branches)]) + "\n")


def grow(document: Mapping[str, Any]) -> tuple[Branch, ...]:
    """Return a document as branches; an empty list as the word none."""
    return tuple(_grow_one(name, value) for name, value in document.items())


def _grow_one(name: str, value: Any) -> Branch:
    if isinstance(value, Mapping):
        return Branch(name, grow(value))
    if isinstance(value, (list, tuple)):
        return Branch(name, tuple(Branch(str(v)) for v in value) or (Branch("none"),))
    return Branch(f"{name}: {value}")


def list_lines(branches: Sequence[Branch], indent: str = "") -> Iterator[str]:
    """Yield the lines of a plain tree."""
    for number, branch in enumerate(branches, start=1):
        last = number == len(branches)
        yield f"{indent}{LAST if last else BRANCH}{branch.label}"
        yield from list_lines(branch.below, indent + (SPACE if last else LINE))


def build_tree(title: str, branches: Sequence[Branch]) -> Tree:
    """Return the tree in rich's form. Nothing in it is read as markup."""
    from rich.text import Text
    from rich.tree import Tree

    tree = Tree(Text(title, style="bold"))
    _hang(tree, branches)
    return tree


def _hang(tree: Tree, branches: Sequence[Branch]) -> None:
    from rich.text import Text

    for branch in branches:
        name, colon, text = branch.label.partition(": ")
        style = "cyan" if colon or branch.below else ""
        _hang(tree.add(Text.assemble((name, style), colon, text)), branch.below)
