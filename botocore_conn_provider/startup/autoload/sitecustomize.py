"""Arm this process, then run the sitecustomize that this one shadows.

Its directory is for PYTHONPATH. Python runs one `sitecustomize` only, the first on
the path; virtual environments, Debian and other tools have theirs.
"""

import os
import sys


def _arm() -> None:
    try:
        from botocore_conn_provider.startup.hook import arm
    except Exception:  # noqa: BLE001 - the interpreter must start without us, too
        return
    arm()


def _run_shadowed() -> None:
    """Import the next `sitecustomize` on the path in the place of this one.

    Its errors are its own: they surface as they would without us.
    """
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    path = sys.path[:]
    sys.path[:] = [entry for entry in path if os.path.abspath(entry) != here]  # noqa: PTH100
    this = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize as shadowed  # type: ignore[import-not-found]  # noqa: F401
    except ImportError as error:
        sys.modules["sitecustomize"] = this
        if error.name != "sitecustomize":
            raise
    finally:
        # In place, and what the shadowed one added stays.
        added = [entry for entry in sys.path if entry not in path]
        sys.path[:] = added + path


_arm()
_run_shadowed()
