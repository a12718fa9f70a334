"""Where fsspec is given keys for S3 outside of any program: variables and files."""

from __future__ import annotations

import configparser
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.redaction import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore_conn_provider.connection.environment import Snapshot

# Source: fsspec/config.py. FSSPEC_S3 is JSON, FSSPEC_S3_KEY one of its values.
DIRECTORY_VARIABLE, DEFAULT_DIRECTORY = "FSSPEC_CONFIG_DIR", "~/.config/fsspec"
PROTOCOLS, KEYS = ("s3", "s3a"), ("key", "secret", "token")
LARGEST_FILE = 1 << 20


def find_fsspec_keys(snapshot: Snapshot) -> list[str]:
    """Return the variables and files that hold keys for S3. Their values stay there."""
    return [*_find_variables(snapshot), *_find_files(snapshot)]


def _find_variables(snapshot: Snapshot) -> Iterator[str]:
    for name, value in snapshot.environ.items():
        found = re.fullmatch(r"FSSPEC_([A-Za-z0-9]+)(?:_(\w+))?", name)
        if found is None or not value or found[1].lower() not in PROTOCOLS:
            continue
        given = {found[2].lower()} if found[2] else _read_names(value)
        if not given.isdisjoint(KEYS):
            yield name


def _read_names(text: str) -> set[str]:
    try:
        given: Any = json.loads(text)
    except (ValueError, RecursionError):
        return set()
    return _list_given(given) if isinstance(given, dict) else set()


def _list_given(options: dict[str, Any]) -> set[str]:
    """Return the names of those that are not null, which is the default of s3fs."""
    return {name for name, value in options.items() if value is not None}


def _find_files(snapshot: Snapshot) -> Iterator[str]:
    named = snapshot.environ.get(DIRECTORY_VARIABLE) or DEFAULT_DIRECTORY
    directory = Path(snapshot.locate(named))
    for pattern, read in (("*.ini", _read_ini), ("*.json", _read_json)):
        try:
            paths = sorted(directory.glob(pattern))
        except OSError:  # there can be no such directory
            return
        yield from (shorten(str(path), 200) for path in paths if _has_keys(path, read))


def _has_keys(path: Path, read: Callable[[str], dict[str, Any]]) -> bool:
    """Return whether a file has keys; not one that cannot be read, as fsspec says."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_FILE:
            return False
        given = read(path.read_text(encoding="utf-8"))
        options = (dict(given.get(name) or {}) for name in PROTOCOLS)
        return any(not _list_given(each).isdisjoint(KEYS) for each in options)
    except (OSError, ValueError, TypeError, RecursionError, configparser.Error):
        return False


def _read_ini(text: str) -> dict[str, Any]:
    parser = configparser.ConfigParser()
    parser.read_string(text)
    return {name: dict(parser.items(name, raw=True)) for name in parser.sections()}


def _read_json(text: str) -> dict[str, Any]:
    return dict(json.loads(text))
