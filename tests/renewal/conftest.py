"""What the tests of waiting and of clocks share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.renewal.waiting_world import WaitingWorld

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world() -> Iterator[WaitingWorld]:
    """Make a keeper in virtual time, whose threads end with the test."""
    made = WaitingWorld()
    yield made
    made.time.abandon()
