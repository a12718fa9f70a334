"""Dask's workers use the connection, on a real cluster of two nodes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from botocore.exceptions import ClientError
from dask import delayed
from distributed import LocalCluster
from distributed.protocol.pickle import dumps, loads

import botocore_conn_provider
from botocore_conn_provider import (
    ConnectionNotFoundError,
    CredentialFetchError,
    InvalidConnectionError,
    StsExchangeError,
)
from botocore_conn_provider.fleet.dask import ConnectionPlugin
from tests.aws import Fault, build_error
from tests.child import DEADLINE_SECONDS
from tests.fleet import dask_preloads, reads
from tests.fleet.conftest import LAKE
from tests.fleet.dask_nodes import DaskNodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from distributed import Client

    from tests.aws import Aws
    from tests.engines.guarded_s3 import GuardedS3
    from tests.leaks import Leaks

WORKERS = 8
# Renewed 10 to 12.5 s after they were issued.
LIFE_SECONDS, RENEWED_AFTER = 20, 10
EXAMPLE = Path(__file__).parents[2] / "examples/fleet_dask/dask_job.py"
PRELOAD = ("--preload", dask_preloads.__file__)


@pytest.fixture
def bare_nodes(
    tmp_path: Path, machine: dict[str, str], leaks: Leaks
) -> Iterator[DaskNodes]:
    """A cluster of machines that have a role and no connection."""
    with DaskNodes(tmp_path, machine).run() as nodes:
        yield nodes
    leaks.check_text(nodes.read_logs(), place="the logs")


@pytest.fixture
def nodes(bare_nodes: DaskNodes, text: str) -> DaskNodes:
    """A cluster of machines that have the connection, too."""
    bare_nodes.environ[LAKE] = text
    return bare_nodes


@pytest.fixture
def client(bare_nodes: DaskNodes) -> Iterator[Client]:
    with bare_nodes.connect() as client:
        yield client


def register(client: Client, **options: Any) -> None:
    client.register_plugin(ConnectionPlugin("aws_lake", **options))


def check_identity(aws: Aws, s3: GuardedS3) -> None:
    """Fail unless all that was signed was signed with what STS issued, in time."""
    assert s3.judged
    assert s3.refusals == set()
    assert set(s3.key_ids) <= set(aws.issued)


class TestOneExchangeForANode:
    """Sixteen workers on two nodes, and what they ask of STS."""

    def test_first_task_of_each_and_each_renewal_are_two_calls(
        self, nodes: DaskNodes, client: Client, aws: Aws, s3: GuardedS3
    ) -> None:
        aws.inject(Fault(expires_in_seconds=LIFE_SECONDS), times=1000)
        register(client)
        for name in ("one", "two"):
            nodes.start_node(name, workers=WORKERS)
        client.wait_for_workers(2 * WORKERS)
        began = time.monotonic()
        first = client.run(reads.read_by_boto3)
        asked_first = len(aws.sts_requests)
        counts = client.run(reads.read_for, 2 * RENEWED_AFTER + 3)
        lasted = time.monotonic() - began

        assert len(first) == 2 * WORKERS
        assert asked_first == 2
        assert all(counts.values())
        assert 4 <= len(aws.sts_requests) <= 2 * (1 + lasted // RENEWED_AFTER)
        check_identity(aws, s3)

    def test_killed_worker_and_killed_agent_cost_no_task(
        self, nodes: DaskNodes, client: Client, aws: Aws, s3: GuardedS3
    ) -> None:
        register(client)
        nodes.start_node("one")
        nodes.start_node("two")
        client.wait_for_workers(4)
        pids = client.run(os.getpid)
        tasks = client.map(reads.read_for, [3] * 8, pure=False)
        os.kill(next(iter(pids.values())), signal.SIGKILL)
        nodes.kill_agent("two")
        results = client.gather(tasks)

        assert len(results) == 8
        assert len(aws.sts_requests) <= 2
        check_identity(aws, s3)

    def test_sts_that_is_down_while_sets_are_renewed_costs_no_task(
        self, nodes: DaskNodes, client: Client, aws: Aws, s3: GuardedS3
    ) -> None:
        aws.inject(Fault(expires_in_seconds=LIFE_SECONDS))
        register(client)
        nodes.start_node("one")
        client.wait_for_workers(2)
        client.run(reads.read_by_boto3)
        aws.inject(Fault(503, build_error("ServiceUnavailable")), times=1000)
        client.run(reads.read_for, LIFE_SECONDS - 6)
        assert len(aws.sts_requests) > 1
        aws.stop_faults()
        client.run(reads.read_for, 8)

        check_identity(aws, s3)
        assert len(s3.key_ids) == 2


class TestIdentity:
    """As whom tasks sign, whatever is missing or came before."""

    def test_each_library_signs_as_the_connection(
        self, nodes: DaskNodes, client: Client, aws: Aws, s3: GuardedS3
    ) -> None:
        register(client)
        nodes.start_node("one", workers=1)
        found = [client.submit(read).result() for read in reads.TABLES.values()]
        frame = client.submit(read_by_dask).result()

        assert found == [3, 3, 3]
        assert frame == 3
        assert len(aws.sts_requests) == 1
        check_identity(aws, s3)

    def test_example_reads_as_the_connection_beyond_the_life_of_a_set(
        self, nodes: DaskNodes, aws: Aws, s3: GuardedS3
    ) -> None:
        aws.inject(Fault(expires_in_seconds=LIFE_SECONDS), times=1000)
        nodes.environ.update(AWS_ENDPOINT_URL=s3.url, AWS_ALLOW_HTTP="true")
        nodes.start_node("one")
        words = (nodes.address, reads.URL, str(LIFE_SECONDS + 5))
        ended = subprocess.run(
            [sys.executable, str(EXAMPLE), *words],
            env=nodes.environ,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        assert "none has failed" in ended.stdout
        assert len(aws.issued) > 1
        check_identity(aws, s3)

    def test_worker_without_a_nanny_does_too(
        self, nodes: DaskNodes, client: Client, aws: Aws, s3: GuardedS3
    ) -> None:
        nodes.start_node("one", "--no-nanny", workers=1)
        client.wait_for_workers(1)
        register(client)
        assert client.submit(reads.read_by_boto3).result()
        check_identity(aws, s3)

    def test_programs_that_a_task_starts_do_too(
        self, nodes: DaskNodes, client: Client, aws: Aws, s3: GuardedS3
    ) -> None:
        register(client)
        nodes.start_node("one", workers=1)
        assert client.submit(run_program).result() == 0
        check_identity(aws, s3)

    def test_worker_that_signed_as_its_node_before_is_started_anew(
        self, nodes: DaskNodes, client: Client, aws: Aws, s3: GuardedS3
    ) -> None:
        nodes.start_node("one", workers=1)
        before = client.submit(keep_client, pure=False).result()
        stray = set(s3.key_ids)
        register(client)
        after = client.submit(keep_client, pure=False).result()

        assert stray
        assert not stray & set(aws.issued), "the first task was the node"
        assert before != after
        assert set(s3.key_ids) - stray <= set(aws.issued)
        assert s3.judged[-1].key_id in aws.issued

    def test_plugin_that_comes_again_restarts_no_worker(
        self, nodes: DaskNodes, client: Client
    ) -> None:
        register(client)
        nodes.start_node("one", workers=1)
        before = client.submit(keep_client, pure=False).result()
        register(client)
        assert client.submit(keep_client, pure=False).result() == before

    def test_other_connection_counts_from_its_registration_on(
        self, nodes: DaskNodes, client: Client, aws: Aws, text: str
    ) -> None:
        nodes.environ["AIRFLOW_CONN_OTHER"] = text.replace("role/reader", "role/other")
        register(client)
        nodes.start_node("one", workers=1)
        client.submit(reads.read_by_boto3, pure=False).result()
        client.register_plugin(ConnectionPlugin("other"))
        client.submit(reads.read_by_boto3, pure=False).result()
        roles = [each.parameters["RoleArn"] for each in aws.sts_requests]
        assert [role.rpartition("/")[2] for role in roles] == ["reader", "other"]

    def test_worker_that_joins_may_have_imported_boto3(
        self, nodes: DaskNodes, client: Client, aws: Aws, s3: GuardedS3
    ) -> None:
        register(client)
        nodes.start_node("one", *PRELOAD, workers=1, TEST_PRELOAD="import_boto3")
        client.wait_for_workers(1)
        assert client.submit(reads.read_by_boto3).result()
        check_identity(aws, s3)

    def test_package_is_installed_on_a_worker_before_anything_else(
        self, nodes: DaskNodes, client: Client, aws: Aws, s3: GuardedS3
    ) -> None:
        register(client, install_package="botocore-conn-provider")
        nodes.start_node("one", *PRELOAD, workers=1, TEST_PRELOAD="show_by_pip")
        assert client.submit(reads.read_by_boto3).result()
        check_identity(aws, s3)

    @pytest.mark.parametrize("is_installed", [False, True])
    def test_task_in_the_drivers_own_process_runs_only_if_the_driver_installed(
        self, monkeypatch: pytest.MonkeyPatch, *, is_installed: bool
    ) -> None:
        before = dict(os.environ)
        if is_installed:
            botocore_conn_provider.install("aws_lake")
        options: dict[str, Any] = {"processes": False, "dashboard_address": None}
        with (
            LocalCluster(n_workers=1, **options) as cluster,
            cluster.get_client() as client,
        ):
            refused = pytest.raises(CredentialFetchError, match="driver's own process")
            with contextlib.nullcontext() if is_installed else refused:
                register(client, engines=False)
            task = client.submit(os.getpid)
            if is_installed:
                assert task.result() == os.getpid()
            else:
                assert isinstance(task.exception(), CredentialFetchError)
                assert dict(os.environ) == before
        botocore_conn_provider.uninstall()
        for name in set(os.environ) - set(before):
            monkeypatch.delenv(name)


class TestRefused:
    """What the driver sees when a worker has no credentials; S3 sees nothing."""

    def fail(
        self, client: Client, task: Any = reads.read_by_boto3, *, actor: bool = False
    ) -> BaseException:
        future = client.submit(task, pure=False, actor=actor)
        error = future.exception(timeout=DEADLINE_SECONDS)
        assert isinstance(error, BaseException)
        return error

    def test_missing_connection_is_our_error_in_the_task(
        self, bare_nodes: DaskNodes, client: Client, s3: GuardedS3
    ) -> None:
        register(client)
        bare_nodes.start_node("one", workers=1)
        for task in (reads.read_by_boto3, reads.read_by_pandas):
            error = self.fail(client, task)
            assert isinstance(error, ConnectionNotFoundError)
            assert LAKE in str(error)
        assert s3.judged == []

    def test_engines_of_a_missing_connection_read_nothing(
        self, bare_nodes: DaskNodes, client: Client, s3: GuardedS3
    ) -> None:
        register(client)
        bare_nodes.start_node("one", workers=1)
        self.fail(client, reads.read_by_polars)
        self.fail(client, reads.read_by_pyarrow)
        assert s3.judged == [] or s3.key_ids == [None]

    def test_broken_connection_is_our_error_in_the_task(
        self, bare_nodes: DaskNodes, client: Client, s3: GuardedS3
    ) -> None:
        bare_nodes.environ[LAKE] = "aws://?role_arn=nonsense"
        register(client)
        bare_nodes.start_node("one", workers=1)
        error = self.fail(client)
        assert isinstance(error, InvalidConnectionError)
        assert "role_arn" in str(error)
        assert s3.judged == []

    def test_refusal_of_sts_is_our_error_in_the_task_whole(
        self, nodes: DaskNodes, client: Client, aws: Aws, s3: GuardedS3
    ) -> None:
        aws.inject(Fault(403, build_error("AccessDenied", "not you")), times=1000)
        register(client)
        nodes.start_node("one", workers=1)
        error = self.fail(client)
        assert isinstance(error, StsExchangeError)
        assert (error.conn_id, error.code) == ("aws_lake", "AccessDenied")
        assert "not you" in str(error)
        assert s3.judged == []

    @pytest.mark.parametrize("joins_later", [False, True])
    @pytest.mark.parametrize(
        ("fault", "kind", "said"),
        [
            ("break_set_up", CredentialFetchError, "Too many open files"),
            ("hide_package", ImportError, "Install botocore-conn-provider there"),
        ],
    )
    def test_worker_that_cannot_be_set_up_runs_no_task_and_each_says_why(
        self,
        nodes: DaskNodes,
        client: Client,
        s3: GuardedS3,
        *,
        fault: str,
        kind: type[Exception],
        said: str,
        joins_later: bool,
    ) -> None:
        if joins_later:
            register(client)
        nodes.start_node("one", *PRELOAD, workers=1, TEST_PRELOAD=fault)
        client.wait_for_workers(1)
        if not joins_later:
            with pytest.raises(kind, match=said):
                register(client)
        for task, is_actor in (
            (reads.read_by_boto3, False),
            (reads.read_in_a_coroutine, False),
            (reads.Reader, True),
        ):
            error = self.fail(client, task, actor=is_actor)
            assert isinstance(error, kind)
            assert said in str(error)
        with pytest.raises(kind, match=said):
            client.run(reads.read_by_boto3)
        assert s3.judged == []

    def test_worker_that_signed_as_its_node_and_has_no_nanny_runs_no_further_task(
        self, nodes: DaskNodes, client: Client, s3: GuardedS3
    ) -> None:
        nodes.start_node("one", "--no-nanny", workers=1)
        client.submit(keep_client, pure=False).result()
        before = len(s3.judged)
        with pytest.raises(CredentialFetchError, match="no nanny to restart it"):
            register(client)
        error = self.fail(client, keep_client)
        assert isinstance(error, CredentialFetchError)
        assert len(s3.judged) == before

    def test_actor_that_signed_as_its_node_and_has_no_nanny_does_nothing_further(
        self, nodes: DaskNodes, client: Client, s3: GuardedS3
    ) -> None:
        nodes.start_node("one", "--no-nanny", workers=1)
        actor: Any = client.submit(reads.Reader, actor=True).result()
        with pytest.raises(ClientError):  # the node's key
            actor.read().result()
        before = len(s3.judged)
        with pytest.raises(CredentialFetchError, match="no nanny to restart it"):
            register(client)
        for name in ("read", "read_in_a_coroutine"):
            with pytest.raises(CredentialFetchError, match="no nanny to restart it"):
                getattr(actor, name)().result()
        with pytest.raises(CredentialFetchError, match="no nanny to restart it"):
            _ = actor.length
        assert len(s3.judged) == before

    @pytest.mark.parametrize("conn_id", ["aws://key:secret@/", ""])
    def test_what_is_no_id_is_refused_at_the_driver(self, conn_id: str) -> None:
        with pytest.raises(InvalidConnectionError) as caught:
            ConnectionPlugin(conn_id)
        assert "secret" not in str(caught.value)


class TestSecrets:
    """Keys are never sent; the text only where the driver says so."""

    def test_connection_that_is_sent_is_used_where_nodes_have_none(
        self,
        bare_nodes: DaskNodes,
        client: Client,
        aws: Aws,
        s3: GuardedS3,
        text: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv(LAKE, text)
        plugin = ConnectionPlugin("aws_lake", send_connection=True)
        client.register_plugin(plugin)
        bare_nodes.start_node("one", workers=1)
        assert client.submit(reads.read_by_boto3).result()
        check_identity(aws, s3)
        assert repr(plugin) == "ConnectionPlugin('aws_lake')"

    def test_sent_connection_must_be_there_and_right(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(ConnectionNotFoundError):
            ConnectionPlugin("aws_lake", send_connection=True)
        monkeypatch.setenv(LAKE, "aws://?role_arn=nonsense")
        with pytest.raises(InvalidConnectionError):
            ConnectionPlugin("aws_lake", send_connection=True)

    def test_pickle_has_the_name_and_nothing_of_the_text(
        self, text: str, monkeypatch: pytest.MonkeyPatch, leaks: Leaks
    ) -> None:
        monkeypatch.setenv(LAKE, text)
        pickled = dumps(ConnectionPlugin("aws_lake"))
        leaks.check_text(pickled.decode("latin-1"), place="the plugin's pickle")
        again = loads(pickled)
        assert repr(again) == "ConnectionPlugin('aws_lake')"

    @pytest.mark.parametrize("is_sent", [False, True])
    def test_no_page_graph_or_log_has_a_secret(
        self,
        nodes: DaskNodes,
        client: Client,
        text: str,
        leaks: Leaks,
        monkeypatch: pytest.MonkeyPatch,
        *,
        is_sent: bool,
    ) -> None:
        monkeypatch.setenv(LAKE, text)
        register(client, send_connection=is_sent)
        nodes.start_node("one", workers=1)
        task = delayed(reads.read_by_boto3)()
        graph = dumps(task.__dask_graph__())
        assert client.compute(task).result()
        leaks.check_text(graph.decode("latin-1"), place="the graph")
        pages = list_pages(client)
        assert len(pages) >= 6
        for page in pages:
            leaks.check_text(read_page(page), place=page)
        state = client.dump_cluster_state
        state(str(nodes.directory / "state"), format="yaml")
        leaks.check_text(
            (nodes.directory / "state.yaml").read_text(), place="the cluster's state"
        )


def read_by_dask() -> int:
    """Read by Dask's own reader, in this worker."""
    import dask
    from dask import dataframe

    with dask.config.set(scheduler="synchronous"):
        return len(dataframe.read_parquet(reads.URL))


def keep_client() -> int:
    """Read with a client that this worker keeps, and return the worker's process id."""
    import boto3

    kept: Any = boto3
    if not hasattr(kept, "test_client"):
        kept.test_client = boto3.client("s3")
    with contextlib.suppress(ClientError):  # of the node's key
        kept.test_client.get_object(Bucket=reads.BUCKET, Key=reads.KEY)
    return os.getpid()


def run_program() -> int:
    """Have a program of its own read."""
    import subprocess
    import sys

    code = "from tests.fleet import reads; reads.read_by_boto3()"
    return subprocess.run([sys.executable, "-c", code], check=False).returncode


def list_pages(client: Client) -> list[str]:
    """Return the addresses of what the scheduler shows by HTTP."""
    base = client.dashboard_link.rpartition("/")[0]
    worker = next(iter(client.scheduler_info()["workers"]))
    escaped = worker.replace("://", "%3A%2F%2F").replace(":", "%3A")
    return [
        f"{base}/{page}"
        for page in (
            "info/main/workers.html",
            f"info/worker/{escaped}.html",
            f"info/logs/{escaped}.html",
            "info/main/logs.html",
            "json/counts.json",
            "json/identity.json",
            "metrics",
        )
    ]


def read_page(address: str) -> str:
    answer = requests.get(address, timeout=60)
    assert answer.ok, address
    return answer.text
