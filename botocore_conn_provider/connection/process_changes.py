"""Change the environment of this process to reach other engines, and note how.

An endpoint is told to engines by variables, and what would come before it is taken out.
Our own connections go on starting from what was there: the machine's role, a profile,
keys. So the changes are noted in a variable, which programs that are started inherit,
and a snapshot undoes them (`environment.restore`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore_conn_provider.connection.environment import (
    copy_environment,
    current_environment,
    put,
)
from botocore_conn_provider.secret import Options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore_conn_provider.connection.environment import Changes, Environ


def note_changes(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Return the value of the variable that notes such a change.

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


def change_process(wanted: Environ, *, instead_of: Changes | None = None) -> Changes:
    """Make the environment of this process `wanted`; return what was changed.

    What is set comes first: who looks meanwhile finds an endpoint, or an error.

    Args:
        wanted: The environment.
        instead_of: Former changes, which these take the place of.
    """
    now = copy_environment()
    before = {**now, **_list_undone(instead_of or {})}
    for name in sorted({*now, *wanted}, key=lambda name: name not in wanted):
        if now.get(name) != wanted.get(name):
            put(name, wanted.get(name))
    return Options(
        {
            name: (wanted.get(name), before.get(name))
            for name in {*before, *wanted}
            if before.get(name) != wanted.get(name)
        }
    )


def undo_in_process(changes: Changes) -> None:
    """Undo changes, but for what somebody changed again since."""
    for name, before in _list_undone(changes).items():
        put(name, before)


def _list_undone(changes: Changes) -> dict[str, str | None]:
    """Return the variables that nobody changed again since, as they were before."""
    now = current_environment()
    return {
        name: before
        for name, (given, before) in changes.items()
        if now.get(name) == given
    }
