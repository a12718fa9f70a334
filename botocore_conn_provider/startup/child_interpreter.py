"""Find out by trying whether activation works: start a child interpreter and ask.

Whatever decides it (who owns sitecustomize, switched-off user sites, PYTHONPATH,
an APM tool that comes first) decides it there as it will in the user's programs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import NamedTuple

DEADLINE_SECONDS = 60
# Any connection will do: the child only looks whether the hook is in place.
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
    """What a child interpreter says. The files own their module there, or None."""

    armed: bool
    sitecustomize: str | None
    usercustomize: str | None


def ask_child() -> ChildReport:
    """Start this interpreter again, as programs are started, and look.

    Blocks until the child ends, at most a minute.

    Raises:
        subprocess.SubprocessError: The child failed or hung.
    """
    ended = subprocess.run(  # noqa: S603 - this interpreter, and words of ours
        [sys.executable, "-c", QUESTION],
        env={**os.environ, **PLACEHOLDER},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=True,
    )
    # Others may print at start: the answer is the last line.
    return ChildReport(*json.loads(ended.stdout.splitlines()[-1]))
