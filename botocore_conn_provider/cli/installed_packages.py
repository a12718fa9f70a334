"""Read what is installed from the metadata of packages. Imports none of them.

Metadata are written by many tools and may be broken: then the package counts as not
installed, or its version as unknown.
"""

from __future__ import annotations

import importlib.metadata
import re
from typing import TYPE_CHECKING, TypeVar

from botocore_conn_provider.redaction import shorten
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

# `name[extras] (specifiers)`. Not understood, so left out: what has a marker after a
# semicolon, as each requirement of an extra has, and what comes from an address.
REQUIREMENT = (
    r"(?P<name>[A-Za-z0-9][\w.-]*) ?(?:\[[^\]]*\])? ?"
    r"(?P<open>\()?(?P<specifiers>[^()@;]*)(?(open)\))"
)


class Requirement(Value):
    """What a package needs of another one, always."""

    name: str
    specifiers: str


class Installed(Value):
    """A package that is installed. `version` is None if its metadata do not tell it."""

    name: str
    version: str | None = None
    requirements: tuple[Requirement, ...] = ()

    @property
    def shown(self) -> str:
        """Its name and version."""
        return f"{self.name} {self.version}" if self.version else self.name


def read_installed(names: Iterable[str]) -> dict[str, Installed]:
    """Return by name those packages that are installed."""
    read = (read_one(name) for name in names)
    return {each.name: each for each in read if each is not None}


def read_one(name: str) -> Installed | None:
    """Return what the metadata of a package say; None if there are none."""
    found = _try(lambda: importlib.metadata.distribution(name))
    if found is None or _read_field(found, "Name") is None:
        return None
    told = _try(lambda: [str(each) for each in found.requires or ()]) or []
    requirements = tuple(each for each in map(read_requirement, told) if each)
    return Installed(name, _read_field(found, "Version"), requirements)


def list_requiring(name: str) -> list[str]:
    """Return the packages whose metadata name another one, for an extra or always."""
    found = _try(lambda: list(importlib.metadata.distributions())) or []
    named = [_read_field(each, "Name") for each in found if _names(each, name)]
    return sorted({normalize(each) for each in named if each is not None})


def _names(distribution: importlib.metadata.Distribution, name: str) -> bool:
    """Return whether a package requires `name`. To parse all metadata would be slow."""
    text = _try(lambda: distribution.read_text("METADATA")) or ""
    line = rf"(?mi)^Requires-Dist:\s*{re.escape(name)}(?![\w.-])"
    return re.search(line, text) is not None


def _read_field(distribution: importlib.metadata.Distribution, name: str) -> str | None:
    value = _try(lambda: distribution.metadata[name])
    return shorten(value) if isinstance(value, str) else None


def _try(read: Callable[[], T]) -> T | None:
    """Return what is read; None if that fails, in whatever way others' files can."""
    try:
        return read()
    except Exception:  # noqa: BLE001 - no package's metadata may stop a command
        return None


def read_requirement(text: str) -> Requirement | None:
    """Return what a line of metadata requires; None if that depends on anything."""
    # With one space for many the pattern has one way to match.
    found = re.fullmatch(REQUIREMENT, " ".join(text.split()))
    if found is None:
        return None
    return Requirement(normalize(found["name"]), found["specifiers"].strip())


def normalize(name: str) -> str:
    """Return the one spelling of a package's name."""
    return re.sub(r"[-_.]+", "-", name).lower()
