"""One thing beside the connection that a person should know of, and what to do."""

from __future__ import annotations

from typing import NamedTuple

# What a finding is about. Scripts rely on these words (docs/command-line.md).
LOGIN = "login"
VERSIONS = "versions"
PROXY = "proxy"
ENGINE = "engine"
FROZEN_KEYS = "frozen_keys"


class Neighbour(NamedTuple):
    """A sentence about what was seen, and what to do.

    `name` is the package, profile or variable that it is about. `version` is the
    package's, if its metadata tell it.
    """

    kind: str
    name: str
    text: str
    fix: str
    version: str | None = None

    def describe(self) -> dict[str, str]:
        """Return the JSON; its shape is in docs/command-line.md."""
        return {name: value for name, value in self._asdict().items() if value}
