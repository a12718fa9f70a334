"""A worker of Ray that cannot have the connection never signs as its node."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import ray
from ray.exceptions import RayTaskError, WorkerCrashedError

from botocore_conn_provider.cli.whoami.loopback_aws import LoopbackMachine, LoopbackS3
from botocore_conn_provider.cli.whoami.loopback_server import serve
from botocore_conn_provider.cli.whoami.marker_keys import MarkerKeys
from botocore_conn_provider.errors import (
    ConnectionNotFoundError,
    ConnProviderError,
    InvalidConnectionError,
)
from botocore_conn_provider.fleet.ray import runtime_env
from tests.fleet import ray_tasks
from tests.fleet.ray_cluster import ONE, run_cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.leaks import Leaks

# Ray's own warnings about itself.
pytestmark = pytest.mark.filterwarnings("default")

DEADLINE_SECONDS = 120
HIDE_PACKAGE = """
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "botocore_conn_provider":
            raise ModuleNotFoundError("No module named 'botocore_conn_provider'", name=name)
sys.meta_path.insert(0, Hide())
"""


@pytest.fixture(scope="module")
def s3() -> LoopbackS3:
    """Notes who signs."""
    return LoopbackS3()


@pytest.fixture(scope="module")
def _cluster(s3: LoopbackS3) -> Iterator[None]:
    """One node, on a machine with a role and with a connection that is wrong."""
    machine = LoopbackMachine(MarkerKeys.make(), MarkerKeys.make())
    with serve(machine) as machine_url, serve(s3) as s3_url:
        environment = dict(
            os.environ,
            AWS_EC2_METADATA_SERVICE_ENDPOINT=machine_url,
            AWS_METADATA_ENDPOINT=machine_url,
            AWS_METADATA_SERVICE_TIMEOUT="60",
            AWS_ENDPOINT_URL_S3=s3_url,
            AWS_DEFAULT_REGION="us-east-1",
            AIRFLOW_CONN_AWS_WRONG='{"conn_type": "aws", "extra": {"role_arn": "me"}}',
            TEST_S3_URL=s3_url,
        )
        environment.pop("AWS_EC2_METADATA_DISABLED", None)
        with run_cluster(environment, None) as cluster:
            cluster.start(ONE, workers=2)
            cluster.connect()
            yield


@pytest.fixture(autouse=True)
def _unsigned(_cluster: None, s3: LoopbackS3) -> None:
    s3.key_ids.clear()


def run(task: Callable[..., Any], *arguments: Any, env: dict[str, Any]) -> Any:
    remote = ray.remote(task).options(max_retries=0, runtime_env=env)
    return ray.get(remote.remote(*arguments), timeout=DEADLINE_SECONDS)


def test_without_a_runtime_environment_a_worker_is_its_node(s3: LoopbackS3) -> None:
    with pytest.raises(RayTaskError):
        run(ray_tasks.read_by_boto3, env={})

    assert s3.find_signer() is not None


def test_a_missing_connection_is_our_error_in_the_task(
    s3: LoopbackS3, leaks: Leaks
) -> None:
    with pytest.raises(ConnectionNotFoundError, match="aws_absent") as caught:
        run(ray_tasks.read_by_boto3, env=runtime_env("aws_absent"))

    # Whole: Ray's error is one of ours, too, and ours is its cause.
    assert isinstance(caught.value, RayTaskError)
    assert "read_by_boto3" in str(caught.value)
    ours: Any = caught.value.cause
    assert type(ours) is ConnectionNotFoundError
    assert caught.value.conn_id == ours.conn_id == "aws_absent"
    assert caught.value.problems == ours.problems
    assert [each.field for each in ours.problems] == ["AIRFLOW_CONN_AWS_ABSENT"]
    leaks.check_error(ours)
    assert s3.key_ids == []


def test_a_wrong_connection_is_our_error_in_the_task(s3: LoopbackS3) -> None:
    with pytest.raises(InvalidConnectionError, match="role_arn"):
        run(ray_tasks.read_by_boto3, env=runtime_env("aws_wrong"))

    assert s3.key_ids == []


def test_polars_without_the_connection_says_our_error(s3: LoopbackS3) -> None:
    with pytest.raises(RayTaskError, match="aws_absent"):
        run(ray_tasks.read_by_polars, env=runtime_env("aws_absent"))

    assert s3.key_ids == []


@pytest.mark.parametrize("read", [ray_tasks.read_by_pandas, ray_tasks.read_by_pyarrow])
def test_pyarrow_without_the_connection_does_not_sign(
    read: Callable[[], int], s3: LoopbackS3
) -> None:
    # Where it finds no credentials it goes on unsigned.
    with pytest.raises(RayTaskError):
        run(read, env=runtime_env("aws_absent"))

    assert set(s3.key_ids) == {None}


def test_an_empty_name_in_a_tasks_own_variables_ends_the_worker(s3: LoopbackS3) -> None:
    env = runtime_env("aws_absent")
    env["env_vars"]["BOTOCORE_CONN_ID"] = ""
    with pytest.raises(WorkerCrashedError):
        run(ray_tasks.read_by_boto3, env=env)

    assert s3.key_ids == []


def test_a_worker_without_the_package_runs_no_task(
    s3: LoopbackS3, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(HIDE_PACKAGE)
    env = runtime_env("aws_absent", env_vars={"PYTHONPATH": str(tmp_path)})
    with pytest.raises(WorkerCrashedError):
        run(ray_tasks.read_by_boto3, env=env)

    assert s3.key_ids == []


def test_a_worker_loads_nothing_of_boto_until_a_task_does() -> None:
    env = runtime_env("aws_absent", env_vars={"FRESH": "1"})  # in a worker of its own

    assert run(ray_tasks.list_loaded, env=env) == []


def test_the_users_own_hook_runs_after_ours() -> None:
    hook = "tests.fleet.ray_tasks.note_own_hook"
    env = runtime_env("aws_absent", worker_process_setup_hook=hook)

    assert run(ray_tasks.read_environment, "TEST_OWN_HOOK", env=env) == ["aws_absent"]


def test_a_program_that_a_worker_starts_has_the_connection_too(s3: LoopbackS3) -> None:
    code = "import boto3; boto3.client('s3').list_buckets()"
    said = run(ray_tasks.run_program, code, env=runtime_env("aws_absent"))

    assert "ConnectionNotFoundError" in said
    assert s3.key_ids == []


def test_the_store_is_the_nodes_own_choice() -> None:
    names = ("BOTOCORE_CONN_STORE",)
    (store,) = run(ray_tasks.read_environment, *names, env=runtime_env("aws_absent"))

    assert store.endswith(ONE)
    assert names[0] not in runtime_env("aws_absent")["env_vars"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"env_vars": {"BOTOCORE_CONN_ID": "aws_other"}}, "env_vars.BOTOCORE_CONN_ID"),
        (
            {"env_vars": {"AIRFLOW_CONN_AWS_LAKE": "{}"}},
            "env_vars.AIRFLOW_CONN_AWS_LAKE",
        ),
        ({"worker_process_setup_hook": print}, "worker_process_setup_hook"),
    ],
)
def test_fields_that_contradict_are_refused(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidConnectionError) as caught:
        runtime_env("aws_lake", **fields)

    assert [problem.field for problem in caught.value.problems] == [field]


def test_a_text_is_not_sent_where_ray_would_ignore_the_hook_that_brings_it(
    s3: LoopbackS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_LAKE", '{"conn_type": "aws"}')
    env = runtime_env("aws_lake", send_connection=True)
    with pytest.raises(TypeError, match="not JSON serializable"):
        run(ray_tasks.read_by_boto3, env=env)

    assert s3.key_ids == []


def test_a_connection_that_is_not_there_is_not_sent() -> None:
    with pytest.raises(ConnectionNotFoundError):
        runtime_env("aws_lake", send_connection=True)


def test_a_wrong_name_is_refused_at_the_driver() -> None:
    with pytest.raises(ConnProviderError):
        runtime_env("no id")


def test_fields_of_the_users_own_are_kept() -> None:
    env = runtime_env("aws_lake", pip=["polars"], env_vars={"MINE": "1"})

    assert env["pip"] == ["polars"]
    assert env["env_vars"]["MINE"] == "1"
