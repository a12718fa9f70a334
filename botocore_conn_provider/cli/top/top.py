"""`top`: a live table of this machine's store: whose credentials, how long, who asked.

It reads what each process notes when it has asked a source (`ask_log`), and no entry:
it never has a key.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import sys
from typing import TYPE_CHECKING

from botocore_conn_provider.cli import exit_codes as exits
from botocore_conn_provider.cli.main import complain
from botocore_conn_provider.connection.environment import SETTING_PREFIX, Snapshot

if TYPE_CHECKING:
    from pathlib import Path

SUMMARY = "show whose credentials this machine's store has, and who asked for them"
DESCRIPTION = """\
Show the connections in this machine's credential store: how long their credentials are
good for, which program renewed them last and when, how often their sources were asked,
and what went wrong. On a terminal the table is live until Ctrl-C ends it; else it is
written once.

Only what this user's processes noted there is read, and no key. A process without the
store is not seen. An ask is one exchange: a busy STS may be asked again within it."""
EPILOG = """\
It looks where BOTOCORE_CONN_STORE says, else where `on` would have the store.

examples:
  botocore-conn top
  botocore-conn top --json | jq '.connections[] | select(.failing)'
  watch -n 10 botocore-conn top --once"""

STORE_VARIABLE = f"{SETTING_PREFIX}STORE"
SHORTEST_SECONDS, LONGEST_SECONDS = 0.1, 3600.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--store", metavar="DIR", help="the directory that BOTOCORE_CONN_STORE names"
    )
    parser.add_argument("--once", action="store_true", help="write the table once")
    parser.add_argument("--json", action="store_true", help="write one JSON object")
    parser.add_argument(
        "--interval",
        metavar="SECONDS",
        type=read_interval,
        default=1.0,
        help="look again after this long (default: 1)",
    )


def read_interval(text: str) -> float:
    """Return the seconds between two looks."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise argparse.ArgumentTypeError("it must be from 0.1 to 3600 seconds")
    return seconds


def run(arguments: argparse.Namespace) -> int:
    """Write what is in the store."""
    from botocore_conn_provider.cli.top.rows import look
    from botocore_conn_provider.cli.top.table import show_live, write_once
    from botocore_conn_provider.renewal.store.directory import UnsafeStoreError

    if isinstance(sys.stdout, io.TextIOWrapper):
        # Not every terminal's encoding has the sign for what was cut off.
        sys.stdout.reconfigure(errors="replace")
    try:
        path = find_place(arguments.store)
        if arguments.json:
            sys.stdout.write(json.dumps(look(path).describe(), indent=2) + "\n")
        elif arguments.once or not sys.stdout.isatty():
            write_once(look(path))
        else:
            show_live(lambda: look(path), seconds=arguments.interval)
    except UnsafeStoreError as error:
        complain(f"the credential store cannot be read: {error}.")
        return exits.FAILED
    return exits.OK


def find_place(given: str | None) -> Path:
    """Return the store's directory.

    Raises:
        UnsafeStoreError: There can be none.
    """
    from botocore_conn_provider.renewal.store.directory import UnsafeStoreError
    from botocore_conn_provider.renewal.store.places import OFF, ON, locate_store

    snapshot = Snapshot.take()
    choice = given or snapshot.environ.get(STORE_VARIABLE) or ON
    # Where this environment has it off, other processes may have it on.
    path = locate_store(ON if choice == OFF else choice, snapshot)
    if path is None:
        raise UnsafeStoreError(f"there is no store on this system ({os.name})")
    return path
