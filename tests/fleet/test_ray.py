"""Ray's workers use the connection, on a real cluster of two nodes."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import ray
from ray.util import state

from botocore_conn_provider.fleet.ray import runtime_env
from tests.aws import Fault, build_error
from tests.fleet import ray_tasks
from tests.fleet.machine import make_text
from tests.fleet.ray_cluster import (
    ONE,
    TWO,
    RayCluster,
    run_cluster,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.aws import Aws
    from tests.engines.guarded_s3 import GuardedS3
    from tests.leaks import Leaks, Secrets

# Ray's own warnings about itself.
pytestmark = pytest.mark.filterwarnings("default")

WORKERS = 8
DEADLINE_SECONDS = 120
PAUSE_SECONDS = 0.5
VARIABLE = "AIRFLOW_CONN_AWS_LAKE"


@pytest.fixture
def text(aws: Aws, s3: GuardedS3, secrets: Secrets) -> str:
    """A connection's text, with keys and a role."""
    return make_text(aws, secrets, s3, mandatory_seconds=4)


@pytest.fixture
def bare_cluster(machine: dict[str, str], leaks: Leaks) -> Iterator[RayCluster]:
    """Nodes without the connection, on machines that have a role and keys."""
    with run_cluster(machine, leaks) as cluster:
        yield cluster


@pytest.fixture
def cluster(bare_cluster: RayCluster, text: str) -> RayCluster:
    """Nodes that have the connection."""
    bare_cluster.environment[VARIABLE] = text
    return bare_cluster


def run(task: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Run a task on the cluster, and return what it returns."""
    remote = ray.remote(task).options(max_retries=0, **options)
    return ray.get(remote.remote(*arguments), timeout=DEADLINE_SECONDS)


READS = {
    "boto3": ray_tasks.read_by_boto3,
    "pandas": ray_tasks.read_by_pandas,
    "polars": ray_tasks.read_by_polars,
    "pyarrow": ray_tasks.read_by_pyarrow,
}


def test_each_library_reads_as_the_connection_and_a_node_exchanges_once(
    cluster: RayCluster, aws: Aws, s3: GuardedS3
) -> None:
    cluster.start(ONE, workers=4)
    cluster.connect(runtime_env("aws_lake"))
    refs = [ray.remote(read).options(max_retries=0).remote() for read in READS.values()]
    found = ray.get(refs, timeout=DEADLINE_SECONDS)

    assert found[1:] == [3, 3, 3]
    assert s3.key_ids == list(aws.issued)
    assert len(aws.issued) == 1


def test_a_task_alone_gets_the_connection_and_its_neighbours_do_not(
    cluster: RayCluster, aws: Aws, s3: GuardedS3
) -> None:
    cluster.start(ONE, workers=2)
    cluster.connect()
    names = ("BOTOCORE_CONN_ID",)
    assert run(ray_tasks.read_environment, *names) == [None]
    assert run(ray_tasks.read_by_boto3, runtime_env=runtime_env("aws_lake")) > 0
    assert run(ray_tasks.read_environment, *names) == [None]

    assert s3.key_ids == list(aws.issued)


def test_tasks_with_fields_of_their_own_keep_the_connection_of_the_job(
    cluster: RayCluster, aws: Aws, s3: GuardedS3
) -> None:
    cluster.start(ONE, workers=1)
    other = {"worker_process_setup_hook": "tests.fleet.ray_tasks.note_own_hook"}
    # Ray runs one hook: in a job it refuses another one, for a task it ignores it.
    with pytest.raises(RuntimeError, match="Conflicting"):
        cluster.connect(runtime_env("aws_lake") | other)
    ray.shutdown()
    cluster.connect(runtime_env("aws_lake"))
    own = {"env_vars": {"MINE": "1"}, **other}

    assert run(ray_tasks.read_by_boto3, runtime_env=own) > 0
    assert run(ray_tasks.read_environment, "MINE", runtime_env=own) == ["1"]
    assert s3.key_ids == list(aws.issued)


def start_readers(node: str) -> list[Any]:
    """Start as many actors as the node has workers, each in a process of its own."""
    options = {"resources": {node: 1}, "max_restarts": 1, "max_task_retries": 3}
    actor: Any = ray.remote(ray_tasks.Reader)
    return [actor.options(num_cpus=1, **options).remote() for _ in range(WORKERS)]


def read_by_all(readers: list[Any]) -> None:
    time.sleep(PAUSE_SECONDS)  # all of them share a few cores
    refs = [reader.read.remote() for reader in readers]
    assert set(ray.get(refs, timeout=DEADLINE_SECONDS)) != {0}


def test_sixteen_workers_on_two_nodes_exchange_twice_and_twice_for_each_renewal(
    cluster: RayCluster, aws: Aws, s3: GuardedS3
) -> None:
    aws.inject(Fault(expires_in_seconds=30), times=1000)
    cluster.start(ONE, workers=WORKERS)
    cluster.start(TWO, workers=WORKERS)
    cluster.connect(runtime_env("aws_lake"))
    readers = [*start_readers(ONE), *start_readers(TWO)]
    processes = ray.get([each.find_process.remote() for each in readers])
    assert len(set(processes)) == 2 * WORKERS
    assert aws.sts_requests == []

    read_by_all(readers)
    assert len(aws.sts_requests) == 2

    while len(aws.issued) < 4:
        read_by_all(readers)
    assert len(aws.sts_requests) == 4

    # Down for the whole advisory window, up for the mandatory one.
    aws.stop_faults()
    aws.inject(Fault(503, build_error("ServiceUnavailable")), times=100_000)
    ends_at = min(list(aws.issued.values())[2:])
    os.kill(processes[0], signal.SIGKILL)
    while time.time() < ends_at - 5:
        read_by_all(readers)
    assert len(aws.sts_requests) > len(aws.issued) == 4
    aws.stop_faults()
    while time.time() < ends_at + 1:
        read_by_all(readers)

    assert len(aws.issued) == 6
    assert s3.refusals == set()
    assert set(s3.key_ids) == set(aws.issued)


def test_tasks_survive_a_killed_node_agent(
    cluster: RayCluster, aws: Aws, s3: GuardedS3
) -> None:
    cluster.start(ONE, workers=2, soon_missed=True)
    cluster.start(TWO, workers=2)
    cluster.connect(runtime_env("aws_lake"))
    task = ray.remote(ray_tasks.read_after).options(max_retries=5)
    refs = [task.remote(1.0) for _ in range(8)]
    ray.wait(refs, num_returns=2, timeout=DEADLINE_SECONDS)
    cluster.nodes[TWO].kill()

    assert 0 not in ray.get(refs, timeout=DEADLINE_SECONDS)
    assert set(s3.key_ids) == set(aws.issued)
    assert len(aws.issued) <= 2


def test_the_text_that_the_driver_sends_shows_nowhere_in_ray(
    bare_cluster: RayCluster,
    text: str,
    aws: Aws,
    s3: GuardedS3,
    leaks: Leaks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, text)
    env = runtime_env("aws_lake", send_connection=True)
    leaks.check_text(repr(env), place="the runtime environment")
    bare_cluster.start(ONE, workers=2, dashboard=True)
    bare_cluster.connect(env)
    leaks.check_text(repr(ray.get_runtime_context().runtime_env))

    assert run(ray_tasks.read_by_boto3) > 0
    assert s3.key_ids == list(aws.issued)
    listings: list[Callable[..., Any]] = [
        state.list_tasks,
        state.list_workers,
        state.list_runtime_envs,
        state.list_jobs,
    ]
    for list_all in listings:
        found = repr(list_all(detail=True))
        assert len(found) > len("[]")
        leaks.check_text(found, place=list_all.__name__)


def test_a_submitted_jobs_driver_its_tasks_and_ray_data_read_as_the_connection(
    cluster: RayCluster, aws: Aws, s3: GuardedS3
) -> None:
    cluster.start(ONE, workers=2, dashboard=True)
    program = Path(ray_tasks.__file__).with_name("ray_job.py")
    env = runtime_env("aws_lake", env_vars={"PYTHONPATH": str(program.parents[2])})
    said = cluster.submit(f"{sys.executable} {program}", env)

    assert "driver and task have read, and Ray Data 3 rows" in said
    assert s3.key_ids == list(aws.issued)
    assert len(aws.issued) == 1
