"""Install packages by hand: metadata as pip writes them, and modules that refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# Nothing that is looked at may be imported.
REFUSES = "raise SystemExit('it was imported')\n"


class Package(NamedTuple):
    """A package to install. Without a version its metadata tell none."""

    name: str
    version: str | None = None
    requires: Iterable[str] = ()
    module: str | None = None


def install(directory: Path, package: Package) -> None:
    """Write a package into a directory of `sys.path`."""
    folder = package.name.replace("-", "_")
    info = directory / f"{folder}-{package.version or '0'}.dist-info"
    info.mkdir(parents=True)
    lines = ["Metadata-Version: 2.4", f"Name: {package.name}"]
    if package.version is not None:
        lines.append(f"Version: {package.version}")
    lines += [f"Requires-Dist: {each}" for each in package.requires]
    (info / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (info / "INSTALLER").write_text("pip\n", encoding="utf-8")
    if package.module is not None:
        (directory / package.module).mkdir()
        code = directory / package.module / "__init__.py"
        code.write_text(REFUSES, encoding="utf-8")
