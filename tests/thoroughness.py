"""How often a thing is tried, by how many: `make check` takes a quarter of it."""

from __future__ import annotations

from hypothesis import settings

USUAL = 100  # of the default profile


def register_quick() -> None:
    """Register what `pytest --hypothesis-profile=quick` asks for."""
    settings.register_profile("quick", max_examples=USUAL // 4)


def examples(count: int) -> int:
    """Return `count`, or the part of it that the profile of this run says."""
    return max(1, count * settings().max_examples // USUAL)
