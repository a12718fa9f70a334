"""What a driver tells its workers: the recipe for credentials, never credentials.

The connection's text is apart, because it holds secrets: it is sent only where the
program says so. A worker loads this module, so it is light.
"""

from __future__ import annotations

from botocore_conn_provider.connection.environment import (
    CONN_ID_VARIABLE,
    ENGINES_VARIABLE,
    SETTING_PREFIX,
)
from botocore_conn_provider.value import Value

SPREAD_VARIABLE = f"{SETTING_PREFIX}START_SPREAD_SECONDS"
YES, NO = "1", "0"


class Recipe(Value):
    """Which connection, whether engines get it, and how far first exchanges spread."""

    conn_id: str
    engines: bool = True
    start_spread_seconds: float = 0.0

    def list_variables(self) -> dict[str, str]:
        """Return the variables that are the same on each node. They hold no secret."""
        variables = {
            CONN_ID_VARIABLE: self.conn_id,
            ENGINES_VARIABLE: YES if self.engines else NO,
        }
        if self.start_spread_seconds:
            variables[SPREAD_VARIABLE] = f"{self.start_spread_seconds:g}"
        return variables
