"""One hop of the way: look, and say what was seen or what is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from botocore.exceptions import BotoCoreError

from botocore_conn_provider.cli import exits
from botocore_conn_provider.errors import ConnProviderError, shorten
from botocore_conn_provider.refusal import mask

LONGEST_CAUSE = 600

Look = Callable[[], Iterable[str]]


class Hop(NamedTuple):
    """A step and what looks at it: returns evidence, or raises what is wrong."""

    name: str
    look: Look


class Outcome(NamedTuple):
    """What came of a hop. `exit_code` is what the command ends with after it."""

    hop: str
    seconds: float
    evidence: tuple[str, ...] = ()
    cause: str | None = None
    fix: str | None = None
    exit_code: int = exits.OK

    @property
    def is_good(self) -> bool:
        """Whether the next hop may be looked at."""
        return self.cause is None


def run_hop(hop: Hop) -> Outcome:
    """Look at one hop; blocks for as long as its own deadlines allow."""
    began = time.monotonic()
    try:
        evidence = tuple(hop.look())
    except BotoCoreError as error:
        cause, fix = _explain(error)
        return Outcome(
            hop.name,
            time.monotonic() - began,
            cause=cause,
            fix=fix,
            exit_code=exits.code_of(error),
        )
    return Outcome(hop.name, time.monotonic() - began, evidence)


def _explain(error: BotoCoreError) -> tuple[str, str | None]:
    if isinstance(error, ConnProviderError):
        return error.cause, error.hint or None
    text = f"{type(error).__name__}: {mask(' '.join(str(error).split()), {})}"
    return shorten(text, LONGEST_CAUSE), None
