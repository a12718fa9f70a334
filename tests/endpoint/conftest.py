"""What the tests of the endpoint share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.endpoint.programs import World

if TYPE_CHECKING:
    from tests.aws import Aws
    from tests.child import Children
    from tests.leaks import Secrets


@pytest.fixture
def world(run_python: Children, aws: Aws, secrets: Secrets) -> World:
    """Run programs that have a connection."""
    return World(run_python, aws, secrets)
