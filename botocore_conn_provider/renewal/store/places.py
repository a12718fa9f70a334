"""Find the place of the directory that one user's processes share.

Places in memory are preferred, because a tmpfs loses the keys at shutdown. All
processes of a user come to the same one, whatever their environment says.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from botocore_conn_provider.renewal.store.directory import (
    UnsafeStoreError,
    is_ours_alone,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore_conn_provider.connection.environment import Snapshot

OFF, ON = "off", "on"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the directory below it is checked
RUNTIME = Path("/run/user")
TEMPORARY = Path("/tmp")  # noqa: S108 - the same


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
            else shared memory, else a directory for temporary files: the first in which
            we have our directory, or can make it. Makes none itself.
        environ: For `XDG_RUNTIME_DIR`.

    Raises:
        UnsafeStoreError: None of the places of `on` can be used.
    """
    if choice in ("", OFF) or not is_supported():
        return None
    if choice != ON:
        return _name_below(Path(choice))
    for place in _list_places(environ):
        if _is_usable(place):
            return _name_below(place)
    raise UnsafeStoreError("none of its usual places on this machine can be used")


def _list_places(environ: Mapping[str, str]) -> Iterator[Path]:
    """List the places of `on`, those last that the environment decides.

    All processes of a user come to the same place, whether a batch system gave one of
    them a TMPDIR of its own or a login gave it a runtime directory.
    """
    yield RUNTIME / str(os.geteuid())
    yield SHARED_MEMORY
    yield TEMPORARY
    runtime = environ.get("XDG_RUNTIME_DIR")
    if runtime:
        yield Path(runtime)
    # It tries to write into each directory it knows, and raises if none lets it.
    with contextlib.suppress(OSError):
        yield Path(tempfile.gettempdir())


def _is_usable(place: Path) -> bool:
    """Return whether our directory there is ours alone, or can be made.

    Another user may have made one of that name where everybody may.
    """
    path = _name_below(place)
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return _is_writable(place)
    except (OSError, ValueError):  # below a closed directory, or a file
        return False
    return stat.S_ISDIR(found.st_mode) and is_ours_alone(found) and _is_writable(path)


def _is_writable(path: Path) -> bool:
    by_effective_user = os.access in os.supports_effective_ids
    # Not Path.is_dir(), which fails for a place below a closed directory.
    return os.path.isdir(path) and os.access(  # noqa: PTH112
        path, os.W_OK | os.X_OK, effective_ids=by_effective_user
    )


def _name_below(place: Path) -> Path:
    return place / f"botocore-conn-provider-{os.geteuid()}"
