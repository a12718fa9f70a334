"""Install plug-ins for a test, as pip would: an entry point on the import path."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

# `[project.entry-points."group"]` and the lines below it, in a pyproject.toml.
ENTRY_POINTS = re.compile(
    r'^\[project\.entry-points\."(?P<group>[\w.]+)"\]\n(?P<lines>(?:[\w-]+ = ".+"\n)+)',
    re.MULTILINE,
)


def install_entry_points(
    directory: Path, monkeypatch: pytest.MonkeyPatch, points: dict[str, dict[str, str]]
) -> None:
    """Write the metadata of a distribution with these entry points, by group."""
    info = directory / "installed-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: x\nVersion: 1.0\n")
    lines = [
        line
        for group, named in points.items()
        for line in (f"[{group}]", *(f"{name} = {at}" for name, at in named.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(directory))


def install_example(
    example: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Install an example by what its own pyproject.toml says."""
    text = (example / "pyproject.toml").read_text(encoding="utf-8")
    points = {
        found["group"]: dict(
            line.replace('"', "").split(" = ") for line in found["lines"].splitlines()
        )
        for found in ENTRY_POINTS.finditer(text)
    }
    assert points, "the example's pyproject.toml names no entry point"
    install_entry_points(directory, monkeypatch, points)
    monkeypatch.syspath_prepend(str(example))
    for module in example.glob("*.py"):
        monkeypatch.delitem(sys.modules, module.stem, raising=False)
