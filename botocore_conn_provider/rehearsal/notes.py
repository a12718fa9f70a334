"""What the processes of a rehearsed job write down, for the report of all of them.

Each process appends lines to a file of its own, at once: one that is killed has told
what it knew. Nothing in them is a key: a set goes by a hash of its key id, and people
see its last four characters.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import stat
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUFFIX = ".jsonl"
SHOWN_CHARACTERS = 4
DIGEST_BYTES = 16


def name_set(directory: Path, key_id: str) -> str:
    """Return what a set is called in the notes of that directory."""
    key = directory.name.encode()[-hashlib.blake2b.MAX_KEY_SIZE :]
    hashed = hashlib.blake2b(key_id.encode(), key=key, digest_size=DIGEST_BYTES)
    return hashed.hexdigest()


def show_key_id(key_id: str) -> str:
    """Return the part of a key id that is shown."""
    return key_id[-SHOWN_CHARACTERS:]


def is_private(directory: Path) -> bool:
    """Return whether it is a directory of this user's that no one else can read."""
    try:
        found = directory.lstat()
    except OSError:
        return False
    is_mine = found.st_uid == os.geteuid() and stat.S_ISDIR(found.st_mode)
    return is_mine and not found.st_mode & 0o077


class Notes:
    """This process's notes.

    Thread safety: a line is one `write` to a file opened for appending. A forked child
    begins a file of its own.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._owner = -1
        self._path = directory

    def write(self, kind: str, **facts: Any) -> None:
        """Write one line; a job goes on where that is impossible."""
        if self._owner != os.getpid():
            self._begin()
        self._append({"kind": kind, "at": time.time(), **facts})

    def _begin(self) -> None:
        self._owner = os.getpid()
        name = f"{self._owner}-{secrets.token_hex(4)}{SUFFIX}"
        self._path = self.directory / name
        # Of its arguments the program's name only: others may be secret.
        program = os.path.basename(sys.argv[0]) if sys.argv else ""  # noqa: PTH119
        self._append({"kind": "process", "at": time.time(), "program": program})

    def _append(self, facts: dict[str, Any]) -> None:
        line = json.dumps({**facts, "pid": self._owner}) + "\n"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        with contextlib.suppress(OSError):
            file = os.open(self._path, flags, 0o600)
            try:
                os.write(file, line.encode())
            finally:
                os.close(file)


def read_notes(
    directory: Path, seen: dict[str, int] | None = None
) -> list[dict[str, Any]]:
    """Return the notes of all processes, in the order of time.

    Args:
        directory: Of the job.
        seen: Up to where each file was read before; those lines are left out.
    """
    offsets = {} if seen is None else seen
    found = [
        each for path in _list_files(directory) for each in _read_file(path, offsets)
    ]
    return sorted(found, key=lambda each: float(each["at"]))


def _list_files(directory: Path) -> list[Path]:
    try:
        return sorted(directory.glob(f"*{SUFFIX}"))
    except OSError:
        return []


def _read_file(path: Path, offsets: dict[str, int]) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            file.seek(offsets.get(path.name, 0))
            content = file.read()
    except OSError:
        return
    whole, _, _ = content.rpartition(b"\n")
    if not whole:
        return
    offsets[path.name] = offsets.get(path.name, 0) + len(whole) + 1
    for line in whole.splitlines():
        with contextlib.suppress(ValueError):  # a process was killed amid it
            yield json.loads(line)
