"""The exit codes, which scripts may rely on (documented in docs/command-line.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError

OK = 0
FAILED = 1
"""The connection is right, and what was tried did not work."""
USAGE = 2
"""The command was called wrongly (argparse's own code)."""
WRONG = 3
"""The connection is there and wrong; nothing was sent."""
ABSENT = 4
"""There is no such connection."""
NOT_INSTALLED = 5
"""An extra or a system library is missing."""
TOO_LATE = 6
"""The deadline passed."""
INTERRUPTED = 130


def code_of(error: BotoCoreError) -> int:
    """Return the exit code that stands for `error`."""
    from botocore_conn_provider.errors import (
        ConnectionNotFoundError,
        InvalidConnectionError,
        MissingDependencyError,
    )

    codes: dict[type[BotoCoreError], int] = {
        ConnectionNotFoundError: ABSENT,
        InvalidConnectionError: WRONG,
        MissingDependencyError: NOT_INSTALLED,
    }
    return next((c for kind, c in codes.items() if isinstance(error, kind)), FAILED)
