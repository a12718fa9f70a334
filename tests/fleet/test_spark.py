"""Spark on a real cluster of two nodes, at an S3 that refuses expired and foreign keys."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.aws import Fault, build_error
from tests.child import DEADLINE_SECONDS
from tests.cli.serving import Serving
from tests.engines.guarded_s3 import GuardedS3
from tests.fleet.spark_cluster import (
    CORES,
    NODES,
    PYSPARK,
    SMALL,
    SparkDriver,
    SparkNodes,
    list_arguments,
    run_driver,
)
from tests.fleet.spark_driver import KINDS
from tests.loopback import LOOPBACK, serve
from tests.tables import put_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets

ROLE = "arn:aws:iam::123456789012:role/reader"
KEY, PASSWORD = "AKIALAKE000000000001", "SentinelPasswordOfTheSparkLake00"
NODE_KEY = "AKIANODE000000000001"
ALL_WORKERS = 2 * CORES
LIFE_SECONDS = 12
# AWS's SDK for Java 2, with all its names below `smfs.shaded`.
SDK = "feature_store_pyspark/jars/sagemaker-feature-store-spark-sdk-3.5.jar"
LONGER_SECONDS = 30
SHORT_LIVED = Fault(expires_in_seconds=LIFE_SECONDS)
REFUSED = Fault(403, build_error("AccessDenied", "not you"))
ON_ALL_NODES = {
    "spark.executor.cores": str(CORES),
    "spark.executor.memory": "640m",
    "spark.cores.max": str(ALL_WORKERS),
    "spark.driver.memory": "512m",
    "spark.scheduler.minRegisteredResourcesRatio": "1.0",
}
EXAMPLE = Path(__file__).parents[2] / "examples" / "fleet_spark" / "job.py"
CLASS_PATHS = ("spark.driver.extraClassPath", "spark.executor.extraClassPath")
FAIL_AT_ONCE = {"spark.task.maxFailures": "1"}


def write_connection(aws: Aws, s3_url: str) -> str:
    return json.dumps(
        {
            "conn_type": "aws",
            "login": KEY,
            "password": PASSWORD,
            "extra": {
                "role_arn": ROLE,
                "region_name": "us-east-1",
                "endpoint_url": s3_url,
                "service_config": {"sts": {"endpoint_url": aws.url}},
            },
        }
    )


class World(NamedTuple):
    """The cluster, what surrounds it, and how a driver is started."""

    nodes: SparkNodes
    aws: Aws
    s3: GuardedS3
    environ: dict[str, str]
    directory: Path
    leaks: Leaks

    def drive(
        self,
        conn_id: str = "lake",
        *,
        more: dict[str, str] | None = None,
        **options: Any,
    ) -> AbstractContextManager[SparkDriver]:
        """Start a driver on the cluster."""
        settings = {
            "spark.master": self.nodes.url,
            **ON_ALL_NODES,
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": str(self.directory),
            **(more or {}),
        }
        told = {"settings": settings, "conn_id": conn_id, **options}
        return run_driver(self.directory, self.environ, told)

    def check_everything_written(self) -> None:
        """Fail if a secret is in a log, an event log or a file of the cluster."""
        written = [*self.nodes.list_files(), *self.directory.rglob("*")]
        for path in written:
            if path.is_file():
                text = path.read_bytes().decode("latin-1")
                self.leaks.check_text(text, place=str(path))


@pytest.fixture(scope="module")
def shared_s3(aws_server: Aws) -> Iterator[GuardedS3]:
    """One S3 for the module, because nodes are started with its address."""
    guarded = GuardedS3(aws_server)
    with serve(guarded) as port:
        guarded.url = f"http://{LOOPBACK}:{port}"
        yield guarded


@pytest.fixture(scope="module")
def nodes(
    aws_server: Aws, shared_s3: GuardedS3, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SparkNodes]:
    foreign = ("AWS_", "AIRFLOW_", "BOTO")
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(foreign)
    }
    environ |= {
        "AIRFLOW_CONN_LAKE": write_connection(aws_server, shared_s3.url),
        "AWS_ACCESS_KEY_ID": NODE_KEY,
        "AWS_SECRET_ACCESS_KEY": "secret-of-the-node",
        "AWS_ENDPOINT_URL_S3": shared_s3.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "TEST_S3": shared_s3.url,
    }
    directory = tmp_path_factory.mktemp("spark")
    with SparkNodes(directory, environ).run() as running:
        yield running


@pytest.fixture
def world(
    nodes: SparkNodes,
    aws: Aws,
    shared_s3: GuardedS3,
    tmp_path: Path,
    leaks: Leaks,
    secrets: Secrets,
) -> World:
    secrets.add(PASSWORD, name="the connection's password")
    put_numbers(aws)
    nodes.forget()
    shared_s3.start_anew()
    directory = tmp_path / "driver"
    directory.mkdir()
    environ = {**os.environ, "TEST_S3": shared_s3.url}
    environ |= {"BOTOCORE_CONN_STORE": str(tmp_path / "store-of-the-driver")}
    return World(nodes, aws, shared_s3, environ, directory, leaks)


def test_sixteen_workers_of_two_nodes_make_two_exchanges_and_two_for_each_renewal(
    world: World,
) -> None:
    world.aws.inject(SHORT_LIVED, times=1000)
    with world.drive() as driver:
        first = driver.ask("run", tasks=ALL_WORKERS, kinds=["boto3"], together=True)
        exchanges = len(world.aws.sts_requests)
        began = time.monotonic()
        later = driver.ask(
            "run",
            tasks=ALL_WORKERS,
            kinds=KINDS,
            seconds=1.5 * LIFE_SECONDS,
            together=True,
        )
        took = time.monotonic() - began
        shown, arguments = driver.ask("show"), list_arguments()

    assert len({each["pid"] for each in first}) == ALL_WORKERS
    assert len({each["node"] for each in first}) == len(NODES)
    assert exchanges == 2
    assert {tuple(each["rows"]) for each in later} == {(3,)}
    assert world.s3.refusals == set()
    assert {str(each) for each in world.s3.key_ids} <= set(world.aws.issued)
    # On each node as often as one process asks: after each half life.
    assert 6 <= len(world.aws.sts_requests) <= 2 * (2 + took / (LIFE_SECONDS / 2))
    # And no key is in anything that Spark shows or writes.
    assert "BOTOCORE_CONN_ID" in shown["page"]
    assert "AIRFLOW_CONN" not in json.dumps(shown)
    world.leaks.check_text(json.dumps(shown), place="Spark's settings")
    world.leaks.check_text(arguments, place="a process's arguments")
    world.check_everything_written()


def test_work_goes_on_over_killed_workers_daemons_and_executors(world: World) -> None:
    world.aws.inject(SHORT_LIVED, times=1000)
    with world.drive() as driver:
        first = driver.ask("run", tasks=8, kinds=["boto3", "pyarrow"], seconds=1)
        driver.start("run", tasks=8, kinds=["boto3", "pyarrow"], seconds=6)
        time.sleep(2)
        worker, daemon = (
            first[0],
            next(each for each in first if each["node"] != first[0]["node"]),
        )
        os.kill(worker["pid"], signal.SIGKILL)
        os.kill(daemon["daemon"], signal.SIGKILL)
        killed = driver.wait()
        executor = find_parent(worker["daemon"])
        driver.start("run", tasks=8, kinds=["boto3", "pyarrow"], seconds=6)
        time.sleep(2)
        os.kill(executor, signal.SIGKILL)
        lost = driver.wait()

    assert {tuple(each["rows"]) for each in killed["said"] + lost["said"]} == {(3,)}
    # pyarrow does not sign where it gets no credentials: its daemon was killed.
    assert {each.key_id for each in world.s3.judged if each.refused} <= {None}
    assert {str(each) for each in world.s3.key_ids} <= {*world.aws.issued, "None"}


def find_parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_tasks_go_on_to_the_end_of_the_credentials_while_sts_is_down(
    world: World,
) -> None:
    world.aws.inject(Fault(expires_in_seconds=LONGER_SECONDS), times=2)
    world.aws.inject(REFUSED, times=10_000)
    end = world.directory / "end"
    with world.drive() as driver:
        driver.start("run", tasks=8, kinds=["boto3"], until=str(end))
        wait_for(lambda: len(world.aws.issued) == len(NODES))
        ends_at = list(world.aws.issued.values())
        wait_for(lambda: time.time() > min(ends_at) - 2)
        end.touch()
        found = driver.wait()
        tried = len(world.aws.sts_requests)
        wait_for(lambda: time.time() > max(ends_at))
        ended = driver.fail("run", tasks=2, kinds=["boto3"])
        world.aws.stop_faults()
        again = driver.ask("run", tasks=2, kinds=["boto3"])

    assert {tuple(each["rows"]) for each in found["said"] + again} == {(3,)}
    assert tried > len(NODES)
    assert "StsExchangeError" in ended
    assert {str(each) for each in world.s3.key_ids} <= set(world.aws.issued)


def wait_for(is_true: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + DEADLINE_SECONDS
    while not is_true():
        assert time.monotonic() < ends_at, "it did not happen"
        time.sleep(0.1)


def test_connection_that_a_node_lacks_is_our_error_in_the_tasks_own_traceback(
    world: World,
) -> None:
    with world.drive("missing", more=FAIL_AT_ONCE) as driver:
        said = driver.fail("run", tasks=2, kinds=["boto3"])
        driver.fail("run", tasks=2, kinds=["s3fs", "pyarrow"])

    assert "ConnectionNotFoundError: Connection 'missing'" in said
    assert {each.key_id for each in world.s3.judged} <= {None}


def test_text_that_the_driver_sends_reaches_tasks_and_stands_in_no_setting(
    world: World, secrets: Secrets
) -> None:
    password = secrets.new("password that is sent")
    text = json.loads(write_connection(world.aws, world.s3.url))
    sent = {"AIRFLOW_CONN_SENT": json.dumps({**text, "password": password})}
    world.environ.update(sent)
    with world.drive("sent", sends=True) as driver:
        found = driver.ask("run", tasks=4, kinds=["boto3", "pyarrow"])
        shown = driver.ask("show")
        arguments = list_arguments()
        logged = driver.errors

    assert {tuple(each["rows"]) for each in found} == {(3,)}
    assert {str(each) for each in world.s3.key_ids} <= set(world.aws.issued)
    assert "DEBUG:py4j.clientserver:Command to send" in logged
    world.leaks.check_text(logged, place="the driver's records at DEBUG")
    world.leaks.check_text(json.dumps(shown), place="Spark's settings")
    world.leaks.check_text(arguments, place="a process's arguments")
    world.check_everything_written()


@pytest.fixture
def java_classes(tmp_path: Path) -> str:
    """Compile the reader; return where it and AWS's SDK are."""
    (sdk,) = Path(sysconfig.get_path("purelib")).glob(SDK)
    source = Path(__file__).with_name("ReadByJava.java")
    classes = tmp_path / "classes"
    classes.mkdir()
    javac = shutil.which("javac")
    assert javac is not None, "javac is missing. Run: make test-fleet"
    subprocess.run(
        [javac, "-cp", str(sdk), "-d", str(classes), str(source)], check=True
    )
    (logging,) = (PYSPARK / "jars").glob("slf4j-api-*.jar")
    return os.pathsep.join(map(str, (classes, sdk, logging)))


def make_class_path(places: str) -> dict[str, str]:
    classes, _, _ = places.partition(os.pathsep)
    return dict.fromkeys(CLASS_PATHS, f"{classes}/")


def test_executors_jvm_reads_by_the_endpoint_of_its_node_or_not_at_all(
    world: World, java_classes: str, tmp_path: Path
) -> None:
    # The class that our settings name for S3A, of AWS's own SDK: Hadoop's S3A itself is
    # in no package that this test could install.
    serving = {
        **world.environ,
        "AIRFLOW_CONN_LAKE": write_connection(world.aws, world.s3.url),
    }
    place = tmp_path / "serve"
    place.mkdir()
    token_file = str(place / "token")
    words = ("--conn-id", "lake", "--token-file", token_file)
    served = Serving(place, serving, words).wait_until_ready()
    try:
        variables = served.read_variables()
        configured = {
            "endpoint": variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"],
            "token_file": token_file,
        }
        path = make_class_path(java_classes)
        with world.drive(more=path, configure=configured) as driver:
            said = driver.ask("read_by_java", places=java_classes)
            arguments, shown = list_arguments(), driver.ask("show")
            served.end()
            refused = driver.ask("read_by_java", places=java_classes)
    finally:
        served.process.kill()

    assert {each.partition(" ")[0] for each in said} == {"read"}
    assert {each.partition(":")[0] for each in refused} == {"SdkClientException"}
    assert {str(each) for each in world.s3.key_ids} <= set(world.aws.issued)
    token = Path(token_file).read_text()
    assert token not in arguments
    assert token not in json.dumps(shown)
    world.check_everything_written()


def test_example_reads_on_the_cluster_for_longer_than_credentials_live(
    world: World,
) -> None:
    world.aws.inject(SHORT_LIVED, times=1000)
    ended = subprocess.run(
        [
            *(sys.executable, str(EXAMPLE), "s3://tables/numbers.parquet"),
            *("--conn-id", "lake", "--master", world.nodes.url),
            *("--tasks", "4", "--minutes", str(2 * LIFE_SECONDS / 60)),
        ],
        env={**world.environ, **SMALL, "PYSPARK_PYTHON": sys.executable},
        cwd=world.directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    libraries = {line.split()[0] for line in ended.stdout.splitlines()}
    assert libraries == set(KINDS)
    assert ended.stdout.count(" reads of 3 rows") == 4
    assert world.s3.refusals == set()
    assert len(world.s3.key_ids) > len(NODES)
    world.leaks.check_text(ended.stdout + ended.stderr, place="the job's output")
