"""`pytest --rehearse-credentials`: a test run with short-lived credentials."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from tests.child import DEADLINE_SECONDS, UNMEASURED
from tests.startup.conftest import AUTOLOAD

if TYPE_CHECKING:
    from tests.child import Children
    from tests.rehearsal.stage import Stage

BEGINNING = """
import os, time
import boto3
OPTIONS = dict(endpoint_url=os.environ["TEST_AWS"], region_name="eu-west-1")
"""
RENEWS = """
def test_renews():
    client = boto3.client("s3", **OPTIONS)
    ends = time.monotonic() + 3
    while time.monotonic() < ends:
        client.list_buckets()
"""
KEEPS = """
def test_keeps():
    frozen = boto3.Session().get_credentials().get_frozen_credentials()
    time.sleep(3.5)
    client = boto3.client("s3", aws_access_key_id=frozen.access_key,
        aws_secret_access_key=frozen.secret_key, aws_session_token=frozen.token,
        **OPTIONS)
    try:
        client.list_buckets()
    except client.exceptions.ClientError:
        pass
"""


def run_pytest(stage: Stage, code: str, *options: str) -> tuple[int, str]:
    (stage.place / "test_job.py").write_text(BEGINNING + textwrap.dedent(code))
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        env=stage.environment,
        cwd=stage.place,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_run_that_renews_passes(stage: Stage) -> None:
    status, output = run_pytest(stage, RENEWS, "--rehearse-credentials", "2s")
    assert status == 0, output
    assert "RESULT: no request that was seen used dead keys." in output
    assert stage.notes == []


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_run_with_dead_keys_fails_and_names_the_test(
    stage: Stage, options: tuple[str, ...]
) -> None:
    asked = ("--rehearse-credentials", "2s", *options)
    status, output = run_pytest(stage, KEEPS, *asked)
    assert status == 1, output
    assert "1 passed" in output
    assert "(test_keeps) used the keys" in output


def test_wrong_duration_is_refused(stage: Stage) -> None:
    status, output = run_pytest(stage, RENEWS, "--rehearse-credentials", "soon")
    assert status == 4
    assert "2s to 1h" in output


def test_plugin_loads_nothing_unasked(run_python: Children) -> None:
    ended = run_python(
        """
        import sys
        before = {name.partition(".")[0] for name in sys.modules}
        import botocore_conn_provider.rehearsal.pytest_plugin
        ours = [n for n in sys.modules if n.startswith("botocore_conn_provider")]
        print(sorted(ours))
        roots = {n.partition(".")[0] for n in sys.modules}
        print(roots - before - sys.stdlib_module_names)
        """,
        env=UNMEASURED,
    )
    ours, others = ended.stdout.splitlines()
    expected = ["botocore_conn_provider", "botocore_conn_provider.rehearsal"]
    expected.append("botocore_conn_provider.rehearsal.pytest_plugin")
    assert ours == str(expected)
    assert others == "{'botocore_conn_provider'}", ended.stderr


def test_pytest_has_no_warning_where_the_process_was_activated(stage: Stage) -> None:
    # It would rewrite the assertions of all that brings a plug-in, and warn of what has
    # been imported before.
    stage.environment["PYTHONPATH"] = str(AUTOLOAD)
    status, output = run_pytest(stage, "def test_nothing(): pass", "-W", "error")
    assert status == 0, output


def test_variable_left_over_lets_no_run_with_dead_keys_pass(stage: Stage) -> None:
    stage.environment["BOTOCORE_CONN_REHEARSE_SECONDS"] = "2"
    status, output = run_pytest(stage, KEEPS, "--rehearse-credentials", "2s")
    assert status == 1, output
    assert "USED DEAD KEYS" in output
