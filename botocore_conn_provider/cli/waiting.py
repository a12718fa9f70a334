"""Do a command's work in a thread, while this one keeps the deadline.

A call inside the Kerberos library or a resolver cannot be interrupted, so the process
ends with the deadline, whatever the other thread is doing.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import sys
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

from botocore_conn_provider.cli import exit_codes as exits
from botocore_conn_provider.cli.arguments import add_conn_id
from botocore_conn_provider.cli.main import complain

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

T = TypeVar("T")

# SDKs wait about a minute for a process: what we say must come before.
DEADLINE_SECONDS = 50.0


def add_waiting_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which connection is meant, and how long to wait for it."""
    add_conn_id(parser)
    parser.add_argument(
        "--deadline",
        metavar="SECONDS",
        type=float,
        default=DEADLINE_SECONDS,
        help="give up after this long (default: %(default)g)",
    )


def run_in_time(
    make: Callable[[], T], show: Callable[[T], None], arguments: argparse.Namespace
) -> int:
    """Show what `make` returns, or one line that says why it does not.

    Args:
        make: Runs in a thread of its own. What it prints goes to standard error.
        show: Runs in this thread, with what was made.
        arguments: Those of `add_waiting_arguments`, and `debug`.
    """
    work = Work(make)
    context = contextvars.copy_context()  # what is quiet here is quiet there
    thread = threading.Thread(target=context.run, args=(work,), daemon=True)
    with contextlib.redirect_stdout(sys.stderr):  # a plug-in may print
        thread.start()
        thread.join(arguments.deadline)
    if work.made is not None:
        show(work.made)
        return exits.OK
    if work.error is not None:
        return tell(work.error, debug=arguments.debug)
    return give_up(arguments.deadline)


class Work(Generic[T]):
    """What the working thread does, and what came of it.

    Written by that thread only, before it ends; read after.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self.made: T | None = None
        self.error: BaseException | None = None

    def __call__(self) -> None:
        """Do the work."""
        try:
            self.made = self._make()
        except BaseException as error:  # noqa: BLE001 - carried to the waiting thread
            self.error = error


def tell(error: BaseException, *, debug: bool) -> int:
    """Raise what says enough on one line; of a fault of ours name the kind only."""
    from botocore.exceptions import BotoCoreError

    if debug or isinstance(error, BotoCoreError):
        raise error
    complain(f"unexpected {type(error).__name__}; --debug shows where.")
    return exits.FAILED


def give_up(deadline_seconds: float) -> int:
    """End at once: the other thread may sit in a call that nothing interrupts."""
    complain(
        f"no credentials within {deadline_seconds:g} s."
        " `botocore-conn doctor` shows which step is slow."
    )
    sys.stderr.flush()
    os._exit(exits.TOO_LATE)
