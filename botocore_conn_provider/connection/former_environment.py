"""What the environment said before it was changed to reach other engines.

An endpoint is told to engines by variables, and what would come before it is taken out.
Our own connections go on starting from what was there: the machine's role, a profile,
keys. So the changes are noted in a variable, which programs that are started inherit,
and a snapshot undoes them. What somebody changed again since is left as it is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def note_changes(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Return the variable's value for an environment that is changed so.

    For each name, the value that it was given and the one before, or null. It holds
    what the environment itself held: never show it.
    """
    names = sorted({*before, *after})
    return json.dumps(
        {
            name: [after.get(name), before.get(name)]
            for name in names
            if before.get(name) != after.get(name)
        }
    )


def restore(environ: dict[str, str], noted: str) -> dict[str, str]:
    """Undo noted changes in place, and return the environment."""
    for name, (given, before) in _parse(noted).items():
        if environ.get(name) != given:
            continue
        if before is None:
            del environ[name]
        else:
            environ[name] = before
    return environ


def _parse(noted: str) -> dict[str, tuple[str | None, str | None]]:
    """Return the changes; none where the text is not ours."""
    try:
        changes = json.loads(noted)
        return {str(name): (given, before) for name, (given, before) in changes.items()}
    except (ValueError, TypeError, AttributeError):
        return {}
