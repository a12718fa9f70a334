"""How long credentials live in a rehearsal, as people write it."""

from __future__ import annotations

import re

from botocore_conn_provider.errors import CredentialFetchError

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
SHORTEST_SECONDS, LONGEST_SECONDS = 2.0, 3600.0
RULE = "it must be from 2s to 1h, such as 60s or 2m"


def read_seconds(said: str | float) -> float | None:
    """Return the seconds; None where it is no duration of a rehearsal."""
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)([smh]?)", str(said), re.ASCII)
    seconds = float(found[1]) * UNITS[found[2]] if found else 0.0
    return seconds if SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS else None


def require_seconds(said: str | float, *, conn_id: str, named: str) -> float:
    """Return the seconds.

    Args:
        said: By the program or a variable.
        conn_id: For the error.
        named: What said it, for the error.

    Raises:
        CredentialFetchError: It is no duration of a rehearsal.
    """
    seconds = read_seconds(said)
    if seconds is None:
        raise CredentialFetchError(
            conn_id=conn_id,
            cause=f"{named} asks for a rehearsal and is no duration: {RULE}.",
            hint=f"Correct it, or remove {named} to have no rehearsal.",
        )
    return seconds
