"""Show the sightings: in colour for people who have rich, else as plain lines."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from botocore_conn_provider.errors import describe_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from botocore_conn_provider.cli.whoami.everywhere import Everywhere
    from botocore_conn_provider.cli.whoami.probing import Sighting

MARKS = {"connection": "✓", "endpoint": "✓", "error": "?"}
STRAY = "✗"
STYLES = {"✓": "green", "?": "yellow", STRAY: "bold red"}
WORDS = {
    "connection": "the connection",
    "machine": "the machine",
    "other": "another key",
    "unsigned": "unsigned",
    "endpoint": "the container endpoint's key",
    "error": "an error",
}


@contextlib.contextmanager
def show_progress(*, is_wanted: bool) -> Iterator[None]:
    """Turn a spinner while the engines run, on a terminal with rich."""
    console = find_console() if is_wanted else None
    if console is None:
        yield
        return
    with console.status("Trying each engine that is installed here"):
        yield


def write_sightings(everywhere: Everywhere) -> None:
    """Write a line for each engine, and what to do."""
    console = find_console()
    for line in list_lines(everywhere):
        if console is None:
            sys.stdout.write(line + "\n")
        else:
            from rich.text import Text  # of the extra [cli]; slow to import

            console.print(Text(line, style=STYLES.get(line[:1], "")))


def list_lines(everywhere: Everywhere) -> Iterator[str]:
    """Yield all lines of the output."""
    state, sightings = everywhere.connection, everywhere.sightings
    yield f"Connection '{state.conn_id}' ({state.kind or 'not there, or wrong'})"
    if state.error is not None:
        yield f"    {describe_error(state.error)}"
    names = [f"{each.name} {each.version or ''}".rstrip() for each in sightings]
    width = max(map(len, names), default=0)
    for name, each in zip(names, sightings, strict=True):
        mark = MARKS.get(each.identity, STRAY)
        yield f"{mark} {name:<{width}}  {describe_sighting(each)}"
    advice = everywhere.advise()
    yield from ["", *advice] if advice else []


def describe_sighting(sighting: Sighting) -> str:
    """Return as whom an engine would sign, on one line."""
    words = WORDS[sighting.identity]
    ends = f" …{sighting.key_ends}" if sighting.key_ends else ""
    detail = f" ({sighting.detail})" if sighting.detail else ""
    return f"{words}{ends}{detail}"


def find_console() -> Console | None:
    """Return rich's console if standard output is a terminal and rich is installed."""
    if not sys.stdout.isatty():
        return None
    try:
        from rich.console import Console  # of the extra [cli]; slow to import
    except ImportError:
        return None
    return Console()
