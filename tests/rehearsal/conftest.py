"""The stage on which jobs are rehearsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rehearsal.stage import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets


@pytest.fixture
def stage(aws: Aws, secrets: Secrets, leaks: Leaks, tmp_path: Path) -> Stage:
    place = tmp_path / "stage"
    place.mkdir()
    return Stage(aws, secrets, leaks, place)
