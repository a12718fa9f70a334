"""Start a child interpreter to find out whether activation works.

What decides this (which sitecustomize is first, user sites that are disabled,
PYTHONPATH, APM tools) has the same effect in the child as in the user's programs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import NamedTuple

DEADLINE_SECONDS = 60
# Any connection is enough: the child only checks whether the hook is installed.
PLACEHOLDER = {"AIRFLOW_CONN_AWS_DEFAULT": "aws://", "BOTOCORE_CONN_DISABLE": ""}
QUESTION = """
import sys
armed = any(
    type(finder).__module__ == "botocore_conn_provider.startup.hook"
    for finder in sys.meta_path
)
def owner(name):
    return getattr(sys.modules.get(name), "__file__", None)
owners = [owner("sitecustomize"), owner("usercustomize")]
import json
print(json.dumps([armed, *owners]))
"""


class ChildReport(NamedTuple):
    """A child interpreter's report: the files of its two modules, or None."""

    armed: bool
    sitecustomize: str | None
    usercustomize: str | None


def ask_child() -> ChildReport:
    """Start this interpreter again, as programs are started, and return its report.

    Blocks until the child ends, for at most a minute.

    Raises:
        OSError: The child cannot be started.
        subprocess.SubprocessError: The child failed or hung.
    """
    ended = subprocess.run(  # noqa: S603 - this interpreter and a fixed program
        [sys.executable, "-c", QUESTION],
        env={**os.environ, **PLACEHOLDER},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=True,
    )
    # Other start-up code may print, so the report is the last line.
    return ChildReport(*json.loads(ended.stdout.splitlines()[-1]))
