"""The Python processes of a local Spark, on a node that has keys of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.fleet.spark_cluster import DRIVER, PYSPARK, SMALL, SparkDriver, run_driver

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.leaks import Secrets

NODE_KEY = "AKIANODE000000000001"
SETTINGS = {
    "spark.master": "local[2]",
    "spark.driver.memory": "512m",
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
}
KINDS = (
    "RDD",
    "data source",
    "table function",
    "mapInArrow",
    "mapInPandas",
    "started by a task",
    "foreachBatch",
)


class Local:
    """A machine with keys in the environment, and a connection beside them."""

    def __init__(self, directory: Path, secrets: Secrets) -> None:
        self.directory = directory
        self.key_id = secrets.new_access_key_id()
        connection = {
            "conn_type": "aws",
            "login": self.key_id,
            "password": secrets.new("secret key"),
            "extra": {"region_name": "us-east-1"},
        }
        self.environ = {
            **os.environ,
            "AIRFLOW_CONN_LAKE": json.dumps(connection),
            "AWS_ACCESS_KEY_ID": NODE_KEY,
            "AWS_SECRET_ACCESS_KEY": "secret-of-the-node",
        }

    def drive(
        self, more: dict[str, str] | None = None, **options: Any
    ) -> AbstractContextManager[SparkDriver]:
        """Start a driver."""
        settings = {**SETTINGS, **(more or {})}
        told = {"settings": settings, "conn_id": "lake", **options}
        return run_driver(self.directory, self.environ, told)


@pytest.fixture
def local(tmp_path: Path, secrets: Secrets) -> Local:
    directory = tmp_path / "local"
    directory.mkdir()
    return Local(directory, secrets)


@pytest.mark.parametrize("daemon", ["true", "false"])
def test_every_kind_of_python_process_has_the_connection(
    local: Local, daemon: str
) -> None:
    with local.drive({"spark.python.use.daemon": daemon}) as driver:
        found = driver.ask("find_keys")
    assert found == {kind: [local.key_id] for kind in KINDS}


def test_planning_process_has_the_connection_where_spark_submit_starts_the_driver(
    local: Local,
) -> None:
    options = {"settings": SETTINGS, "conn_id": "lake", "do": "find_keys"}
    ended = subprocess.run(
        [str(PYSPARK / "bin" / "spark-submit"), str(DRIVER), json.dumps(options)],
        stdin=subprocess.DEVNULL,
        env={
            **local.environ,
            **SMALL,
            "SPARK_HOME": str(PYSPARK),
            "PYSPARK_PYTHON": sys.executable,
        },
        cwd=local.directory,
        capture_output=True,
        text=True,
        check=False,
    )
    # Spark writes what the driver wrote to standard error there, too.
    lines = [each for each in ended.stdout.splitlines() if each.startswith('{"')]
    assert len(lines) == 1, ended.stderr[-3000:]
    assert json.loads(lines[0])["said"] == {kind: [local.key_id] for kind in KINDS}


def test_python_without_this_package_runs_no_task(local: Local) -> None:
    local.environ["PYSPARK_PYTHON"] = os.path.realpath(sys.executable)
    with local.drive() as driver:
        error = driver.fail("find_in_a_task")
    assert "No module named 'botocore_conn_provider'" in error


def test_executor_that_was_not_told_the_name_runs_no_task(local: Local) -> None:
    with local.drive() as driver:
        error = driver.fail("forget_name")
    assert "BOTOCORE_CONN_ID is not set" in error


def test_connection_that_is_wrong_is_our_error_in_the_tasks_own_traceback(
    local: Local,
) -> None:
    local.environ["AIRFLOW_CONN_LAKE"] = "aws://?role_arn="
    with local.drive() as driver:
        error = driver.fail("find_in_a_task")
    assert "InvalidConnectionError: Connection 'lake'" in error
    assert NODE_KEY not in error


def test_daemon_of_the_users_own_runs_with_the_connection(local: Local) -> None:
    (local.directory / "their_daemon.py").write_text(
        "import os, pyspark.daemon\n"
        "os.environ['THEIRS'] = 'yes'\n"
        "if __name__ == '__main__':\n"
        "    pyspark.daemon.manager()\n"
    )
    local.environ["PYTHONPATH"] = str(local.directory)
    with local.drive({"spark.python.daemon.module": "their_daemon"}) as driver:
        found = driver.ask("find_theirs")
    assert found == ["yes", local.key_id]


def test_session_that_is_there_already_is_an_error(local: Local) -> None:
    with local.drive() as driver:
        assert driver.ask("configure_again", conn_id="lake") is None
        error = driver.fail("configure_again", conn_id="other")
    assert "has a Spark session already" in error
