"""Read again and again by one engine: `run_reader.py NAME`. One JSON line a time."""

from __future__ import annotations

import importlib.util
import json
import os
import select
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSE_SECONDS = 0.25
CHECKOUT = Path(__file__).parents[3]


def load(name: str) -> Any:
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def attempt(read: Callable[[], int]) -> dict[str, Any]:
    try:
        return {"rows": read()}
    except Exception as error:  # noqa: BLE001 - each engine has its own
        return {"error": f"{type(error).__name__}: {error}"[:2000]}


def find_read(name: str) -> Callable[[], int]:
    """Return what reads; where it cannot be made, what says so."""
    try:
        found: Callable[[], int] = load(f"read_{name}").read
    except BotoCoreError as error:
        words = error

        def refuse() -> int:
            raise words

        return refuse
    return found


def main() -> None:
    sys.path.append(str(CHECKOUT))
    read = find_read(sys.argv[1])
    while not select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
        sys.stdout.write(f"{json.dumps(attempt(read))}\n")
        sys.stdout.flush()
    # The threads of engines may hang while their source does.
    os._exit(0)


main()
