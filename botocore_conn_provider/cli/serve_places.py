"""The port and the files of `serve`: taken, given back, and what is said of a fault.

No fault shows what a file holds.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

from botocore_conn_provider.cli.main import complain
from botocore_conn_provider.endpoint.endpoint import open_port
from botocore_conn_provider.endpoint.token_place import open_token_file, write_at_once

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from botocore_conn_provider.endpoint.token_place import TokenPlace


class CannotServeError(Exception):
    """What is wrong with a port or a file; its text is for the user."""


def take_port(port: int) -> socket.socket:
    """Listen at the port; who connects waits until there is an endpoint.

    Raises:
        CannotServeError: It cannot be had.
    """
    try:
        return open_port(port)
    except OSError as error:
        raise CannotServeError(
            f"port {port} of 127.0.0.1 cannot be had: {error.strerror}. If another"
            " `botocore-conn serve` has it, its neighbours need no second one; else"
            " choose another --port."
        ) from None


def take_token(path: str | None) -> TokenPlace | None:
    """Return the token of a file that the user names.

    Raises:
        CannotServeError: The file cannot be used.
    """
    if path is None:
        return None
    with _said_of("token"):
        taken = open_token_file(path)
    if taken.is_replaced:
        complain(
            "other users could read the token in the token file: there is a new one now."
            " Start the programs again that know the old one."
        )
    return taken


def remove_former(path: str | None) -> None:
    """Remove the ready file of one that was killed.

    Raises:
        CannotServeError: It cannot be removed.
    """
    if path is not None:
        with _said_of("ready"), contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108 - pathlib is slow to load


def print_whole(text: str) -> None:
    """Print it now, and not when there is more.

    Raises:
        CannotServeError: It cannot be written.
        BrokenPipeError: Nobody reads it.
    """
    try:
        print(text, end="", flush=True)  # noqa: T201 - what the command is for
    except BrokenPipeError:
        raise
    except OSError as error:
        sys.stdout = None  # the interpreter would try again, and complain, at its end
        raise CannotServeError(
            f"standard output cannot be written: {error.strerror}."
        ) from None


@contextlib.contextmanager
def be_ready(path: str | None, text: str) -> Iterator[None]:
    """Have the ready file there meanwhile.

    Raises:
        CannotServeError: It cannot be written.
    """
    if path is None:
        yield
        return
    with _said_of("ready"):
        write_at_once(path, text, 0o644)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)  # noqa: PTH108 - pathlib is slow to load


@contextlib.contextmanager
def _said_of(kind: str) -> Iterator[None]:
    """Say which file an error is about. Not its name: people paste secrets as such.

    Raises:
        CannotServeError: There was one.
    """
    try:
        yield
    except OSError as error:
        raise CannotServeError(
            f"the {kind} file cannot be used: {error.strerror}."
        ) from None
