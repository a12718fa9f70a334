"""Open the directory that one user's processes share, and read and write its files.

The directory is used only if we own it, no other user can open it, and it is not a link.
Others are never repaired, because another user may have such a directory open already.

A file is read only if it is a regular file, not a link, small, and no other user has
access to it. It is written under a temporary name and then renamed, so a reader sees
either the old file or the new one, and a writer that is killed leaves at most a file
that is never read.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE_DIRECTORY, PRIVATE_FILE = 0o700, 0o600
OTHERS = 0o077
LARGEST_BYTES = 64 * 1024
KEY_NAME, KEY_BYTES = "key", 32
BEING_WRITTEN = ".new-"
LOCK = "lock-"
# A temporary file older than this has no writer any more.
LEFT_OVER_SECONDS = 600
# The errors for a key that is a link or that we may not read. Other errors may be
# temporary: too many open files, for example, are no reason to delete a good key.
UNUSABLE = (errno.ELOOP, errno.EACCES)


class UnsafeStoreError(Exception):
    """The directory cannot be used. The text says why and contains no secret."""


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


def read_private(directory: int, name: str) -> bytes | None:
    """Return the content of a file; None if it must not be used. Takes no lock.

    Raises:
        OSError: It does not exist, or is a link.
    """
    # O_NONBLOCK, so that a named pipe in place of the file does not block.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    with os.fdopen(os.open(name, flags, dir_fd=directory), "rb") as file:
        found = os.fstat(file.fileno())
        usable = stat.S_ISREG(found.st_mode) and is_ours_alone(found)
        if not usable or found.st_size > LARGEST_BYTES:
            return None
        return file.read(LARGEST_BYTES)


def write_private(
    directory: int, name: str, content: bytes, *, keep_until: float
) -> None:
    """Write a file atomically, and replace one of the same name.

    Its modification time is set to `keep_until`, after which `sweep` deletes the file.

    Raises:
        OSError: For example, the disk is full, or the name is that of a directory.
    """
    temporary = _write_beside(directory, content, keep_until=keep_until)
    try:
        os.replace(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    except OSError:
        os.unlink(temporary, dir_fd=directory)
        raise


def _write_beside(directory: int, content: bytes, *, keep_until: float) -> str:
    name = f"{BEING_WRITTEN}{os.getpid()}-{secrets.token_hex(8)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, PRIVATE_FILE, dir_fd=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, PRIVATE_FILE)  # the umask may have removed bits
            file.write(content)
            file.flush()
            os.utime(descriptor, (keep_until, keep_until))
    except BaseException:  # a full disk, or an interrupt
        os.unlink(name, dir_fd=directory)
        raise
    return name


def find_key(directory: int) -> bytes:
    """Return the store's random key; make one if there is none that can be used.

    Raises:
        OSError: It cannot be written.
    """
    try:
        key = read_private(directory, KEY_NAME)
    except FileNotFoundError:
        return _make_key(directory)
    except OSError as error:
        if error.errno not in UNUSABLE:
            raise
        key = None
    if key is not None and len(key) == KEY_BYTES:
        return key
    # A bad key is deleted; entries that were written under it are no longer used.
    with contextlib.suppress(FileNotFoundError):
        os.unlink(KEY_NAME, dir_fd=directory)
    return _make_key(directory)


def _make_key(directory: int) -> bytes:
    key = secrets.token_bytes(KEY_BYTES)
    temporary = _write_beside(directory, key, keep_until=0)
    try:
        # Unlike a rename, a link does not replace a key that another process just made.
        os.link(temporary, KEY_NAME, src_dir_fd=directory, dst_dir_fd=directory)
    except FileExistsError:
        key = read_private(directory, KEY_NAME) or key
    finally:
        os.unlink(temporary, dir_fd=directory)
    return key


def sweep(directory: int, now: float) -> None:
    """Delete entries that have expired and files whose writer was killed."""
    for name in os.listdir(directory):
        if name == KEY_NAME or name.startswith(LOCK):
            continue
        with contextlib.suppress(OSError):  # gone already, or a directory
            changed = os.stat(name, dir_fd=directory, follow_symlinks=False).st_mtime
            if changed < now - LEFT_OVER_SECONDS:
                os.unlink(name, dir_fd=directory)
