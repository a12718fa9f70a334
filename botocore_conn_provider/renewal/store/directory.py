"""Find the directory that the processes of one user on one machine share.

Directories in memory are preferred, because a tmpfs loses the keys at shutdown. A
directory is used only if we own it, no other user can open it, and it is not a link.
Others are never repaired, because another user may have such a directory open already.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore_conn_provider.connection.environment import Snapshot

OFF, ON = "off", "on"
PRIVATE_DIRECTORY, PRIVATE_FILE = 0o700, 0o600
OTHERS = 0o077

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the directory below it is checked
RUNTIME = Path("/run/user")


class UnsafeStoreError(Exception):
    """The directory cannot be used. The text says why and contains no secret."""


def is_supported() -> bool:
    """Return whether this system has file owners, modes and `O_NOFOLLOW`."""
    return hasattr(os, "geteuid") and hasattr(os, "O_NOFOLLOW")


def locate_store(choice: str, snapshot: Snapshot) -> Path | None:
    """Return the store's directory as `find_store_directory` does, for a session.

    A path with `~`, a variable or without a leading `/` means what it meant when the
    session was created.

    Raises:
        UnsafeStoreError: There is no such place.
    """
    if choice in ("", OFF, ON):
        return find_store_directory(choice, snapshot.environ)
    try:
        home = snapshot.locate(choice.partition("/")[0])
        path = snapshot.locate(choice)
    except ValueError:  # a null character
        raise UnsafeStoreError("its path cannot be a path") from None
    if choice.startswith("~") and os.path.basename(home).startswith("~"):  # noqa: PTH119
        raise UnsafeStoreError("the home directory in its path is not known")
    return find_store_directory(path, snapshot.environ)


def find_store_directory(choice: str, environ: Mapping[str, str]) -> Path | None:
    """Return the store's directory; None for no store.

    Args:
        choice: `off`, `on` or an absolute path. `on` takes the user's runtime directory,
            else shared memory, else the directory for temporary files.
        environ: For `XDG_RUNTIME_DIR`.

    Raises:
        UnsafeStoreError: None of the places of `on` exists.
    """
    if choice in ("", OFF) or not is_supported():
        return None
    if choice != ON:
        return _name_below(Path(choice))
    for place in _list_places(environ):
        # Not Path.is_dir(), which fails for a place below a closed directory.
        if os.path.isdir(place):  # noqa: PTH112
            return _name_below(place)
    raise UnsafeStoreError("none of its usual places exists on this machine")


def _list_places(environ: Mapping[str, str]) -> Iterator[Path]:
    runtime = environ.get("XDG_RUNTIME_DIR")
    if runtime:
        yield Path(runtime)
    yield RUNTIME / str(os.geteuid())
    yield SHARED_MEMORY
    # It tries to write into each directory it knows, and raises if none lets it.
    with contextlib.suppress(OSError):
        yield Path(tempfile.gettempdir())


def _name_below(place: Path) -> Path:
    return place / f"botocore-conn-provider-{os.geteuid()}"


def open_directory(path: Path) -> int:
    """Open the directory, or make it; return its file descriptor.

    All further work goes by the descriptor, so the directory cannot be exchanged
    between the check and the use.

    Raises:
        UnsafeStoreError: It cannot be made, is a link, or other users have access.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        try:
            descriptor = os.open(path, flags)
        except FileNotFoundError:
            _make(path)
            descriptor = os.open(path, flags)
    except OSError as error:
        cause = os.strerror(error.errno or 0)
        raise UnsafeStoreError(f"it cannot be opened ({cause})") from None
    except ValueError:  # a null character, or one that the system cannot encode
        raise UnsafeStoreError("its path cannot be a path") from None
    found = os.fstat(descriptor)
    if is_ours_alone(found):
        return descriptor
    os.close(descriptor)
    seen = f"mode {stat.S_IMODE(found.st_mode):04o}, owner {found.st_uid}"
    raise UnsafeStoreError(f"it must be yours with mode 0700 ({seen})")


def _make(path: Path) -> None:
    path.parent.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    try:
        path.mkdir(mode=PRIVATE_DIRECTORY)
    except FileExistsError:
        return  # another process has just made it


def is_ours_alone(found: os.stat_result) -> bool:
    """Return whether only this user can read or replace it."""
    return found.st_uid == os.geteuid() and not found.st_mode & OTHERS
