"""Arm this process, then run the sitecustomize that this one hides.

Its directory is meant for PYTHONPATH. Python runs only the first `sitecustomize` on the
path, and virtual environments, Debian and other tools may have one of their own.
"""

import os
import sys


def _arm() -> None:
    # Imported here so that an error, for instance a missing package, can be caught.
    try:
        from botocore_conn_provider.startup.hook import arm
    except Exception as error:  # noqa: BLE001 - the interpreter must start all the same
        _warn_inactive(type(error).__name__)
        return
    arm()


def _warn_inactive(reason: str) -> None:
    """Write to standard error that this Python does not use the connection.

    This is written only if a connection is named or given. The hook's own check of that
    cannot be imported here.
    """
    look_up = os.environ.get
    if look_up("BOTOCORE_CONN_DISABLE", "") not in ("", "0"):
        return
    if look_up("BOTOCORE_CONN_QUIET", "") not in ("", "0"):
        return
    for name in ("BOTOCORE_CONN_ID", "AIRFLOW_CONN_AWS_DEFAULT"):
        if look_up(name, "").strip():
            break
    else:
        return
    python = sys.executable or "this Python"
    try:  # noqa: SIM105 - contextlib is not loaded yet
        sys.stderr.write(
            f"botocore-conn-provider: {name} is set, and {python} does not use it,"
            f" because it cannot import botocore_conn_provider ({reason}). Install"
            " botocore-conn-provider there, or set BOTOCORE_CONN_QUIET=1 to be silent"
            " about it.\n"
        )
    except Exception:  # noqa: BLE001, S110 - no standard error, or a closed one
        pass


def _run_shadowed() -> None:
    """Import the next `sitecustomize` on the path in place of this one.

    It finds and leaves the path as it would without this module, and its errors are
    raised. Our directory comes back to its place afterwards, because tools hand
    `sys.path` to the processes that they start.
    """
    ours = [(place, entry) for place, entry in enumerate(sys.path) if _is_here(entry)]
    sys.path[:] = [entry for entry in sys.path if not _is_here(entry)]
    this = sys.modules.pop("sitecustomize")
    try:
        # Imported here because the path has just been changed for it.
        import sitecustomize as shadowed  # type: ignore[import-not-found]  # noqa: F401
    except ImportError as error:
        sys.modules["sitecustomize"] = this
        if error.name != "sitecustomize":
            raise
    finally:
        for place, entry in ours:
            sys.path.insert(place, entry)


def _is_here(entry: str) -> bool:
    if not isinstance(entry, str):  # Python passes over such entries
        return False
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    return os.path.abspath(entry) == here  # noqa: PTH100


_arm()
_run_shadowed()
