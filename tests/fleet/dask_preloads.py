"""What a test has Dask's workers run before anything else: `--preload`."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

CHOICE = "TEST_PRELOAD"
PACKAGE = "botocore_conn_provider"


class Hider:
    """Hides our package, as if it were not installed."""

    def find_spec(self, name: str, *_: Any) -> ModuleSpec | None:
        if name.partition(".")[0] == PACKAGE:
            raise ModuleNotFoundError(f"No module named {PACKAGE!r}", name=PACKAGE)
        return None


def hide_package() -> None:
    sys.meta_path.insert(0, Hider())


def show_by_pip() -> None:
    """Hide our package until pip is asked to install it."""
    hider = Hider()
    sys.meta_path.insert(0, hider)
    real = subprocess.run

    def run(command: list[str], **options: Any) -> Any:
        if command[1:] == ["-m", "pip", "install", "botocore-conn-provider"]:
            sys.meta_path.remove(hider)
            return subprocess.CompletedProcess(command, 0)
        return real(command, **options)

    subprocess.run = run  # type: ignore[assignment] # one of its ways to be called


def import_boto3() -> None:
    import boto3  # noqa: F401


def break_set_up() -> None:
    """Have the set-up of a worker fail."""
    from botocore_conn_provider.fleet import dask

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    dask.__dict__["start_worker"] = fail


def dask_setup(_: object) -> None:
    """Do what the environment names."""
    globals()[os.environ[CHOICE]]()
