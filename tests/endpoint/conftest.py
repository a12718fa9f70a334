"""What the tests of the endpoint share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.endpoint.programs import World
from tests.startup.conftest import AUTOLOAD

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws import Aws
    from tests.child import Children
    from tests.leaks import Secrets


@pytest.fixture
def world(run_python: Children, aws: Aws, secrets: Secrets) -> World:
    """Run programs that have a connection."""
    return World(run_python, aws, secrets)


@pytest.fixture
def activated(tmp_path: Path) -> dict[str, str]:
    """Return the environment of an activated program, with modules of engines."""
    engines = tmp_path / "engines"
    engines.mkdir()
    for name in ("pyarrow", "obstore", "awscrt"):
        (engines / f"{name}.py").write_text(
            "import os\nseen = os.environ.get('AWS_CONTAINER_CREDENTIALS_FULL_URI')\n"
        )
    return {"PYTHONPATH": f"{AUTOLOAD}:{engines}", "BOTOCORE_CONN_ENGINES": "on"}
