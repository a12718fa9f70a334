from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.child import Children, Ended

DEMO = Path(__file__).parents[2] / "examples" / "demo"
# It runs as `python demo.py` would, with its own folder to import from.
RUN = """
    import runpy, sys
    sys.path.insert(0, sys.argv[1])
    runpy.run_path(sys.argv[1] + "/demo.py", run_name="__main__")
"""


def run_demo(run_python: Children) -> Ended:
    return run_python(RUN, str(DEMO), env={"NO_COLOR": "1"})


def test_demo_shows_each_identity_in_its_turn(run_python: Children) -> None:
    ended = run_demo(run_python)
    assert (ended.returncode, ended.stderr) == (0, "")
    shown = [line.split()[-1] for line in ended.stdout.splitlines() if "arn:" in line]
    assert shown == [
        "arn:aws:iam::123456789012:user/this-machine",
        "arn:aws:sts::123456789012:assumed-role/reporting/airflow_aws_default",
        "arn:aws:sts::123456789012:assumed-role/archive/airflow_other",
    ]


def test_demo_lists_the_buckets_and_refuses_the_broken_connection(
    run_python: Children,
) -> None:
    told = run_demo(run_python).stdout
    assert "monthly-reports" in told
    assert "for s3 in eu-central-1" in told
    # The box breaks lines where they happen to end.
    assert "Did you mean 'role_arn'?" in " ".join(told.replace("│", " ").split())
    assert "requests that reached AWS meanwhile   0" in told
