"""One step of the way: look, and say what was seen, what is wrong or what to know.

What is wrong is raised and ends the way. A warning does not: the connection may work.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from botocore.exceptions import BotoCoreError

from botocore_conn_provider.cli import exit_codes as exits
from botocore_conn_provider.cli.neighbours.neighbour import Neighbour
from botocore_conn_provider.errors import ConnProviderError
from botocore_conn_provider.redaction import show_error
from botocore_conn_provider.tracebacks import scrubbed

LONGEST_CAUSE = 600

Look = Callable[[], Iterable[str | Neighbour]]


class Step(NamedTuple):
    """A step and what looks at it.

    It returns evidence as text and warnings as findings, or raises what is wrong.
    """

    name: str
    look: Look


class Outcome(NamedTuple):
    """What came of a step. `exit_code` is what the command ends with after it."""

    step: str
    seconds: float
    evidence: tuple[str, ...] = ()
    cause: str | None = None
    fix: str | None = None
    exit_code: int = exits.OK
    warnings: tuple[Neighbour, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether the next step may be looked at."""
        return self.cause is None


def run_step(step: Step) -> Outcome:
    """Look at one step; blocks for as long as its own deadlines allow."""
    began = time.monotonic()
    try:
        seen = _look(step)
    except BotoCoreError as error:
        cause, fix = _explain(error)
        return Outcome(
            step.name,
            time.monotonic() - began,
            cause=cause,
            fix=fix,
            exit_code=exits.code_of(error),
        )
    return Outcome(
        step.name,
        time.monotonic() - began,
        tuple(each for each in seen if isinstance(each, str)),
        warnings=tuple(each for each in seen if isinstance(each, Neighbour)),
    )


@scrubbed
def _look(step: Step) -> tuple[str | Neighbour, ...]:
    return tuple(step.look())


def _explain(error: BotoCoreError) -> tuple[str, str | None]:
    if isinstance(error, ConnProviderError):
        return error.cause, error.hint or None
    return show_error(error, LONGEST_CAUSE), None
