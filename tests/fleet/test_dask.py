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
from distributed import LocalCluster

import botocore_conn_provider
from botocore_conn_provider import (
    CredentialFetchError,
)
from botocore_conn_provider.fleet.dask import ConnectionPlugin
from tests.aws import Fault, build_error
from tests.child import DEADLINE_SECONDS
from tests.engines.guarded_s3 import EXPIRED
from tests.fleet import dask_preloads, reads
from tests.fleet.dask_nodes import DaskNodes, check_identity, register

if TYPE_CHECKING:
    from distributed import Client

    from tests.aws import Aws
    from tests.engines.guarded_s3 import GuardedS3

WORKERS = 8
# Renewed 10 to 12.5 s after they were issued.
LIFE_SECONDS, RENEWED_AFTER = 20, 10
EXAMPLE = Path(__file__).parents[2] / "examples/fleet_dask/dask_job.py"
PRELOAD = ("--preload", dask_preloads.__file__)


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
        # An engine that asks the endpoint may sign once more with a set that has just
        # ended, and asks again.
        assert s3.refusals <= {EXPIRED}
        assert set(s3.key_ids) <= set(aws.issued)

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
        before = client.submit(reads.keep_client, pure=False).result()
        stray = set(s3.key_ids)
        register(client)
        after = client.submit(reads.keep_client, pure=False).result()

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
        before = client.submit(reads.keep_client, pure=False).result()
        register(client)
        assert client.submit(reads.keep_client, pure=False).result() == before

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


def read_by_dask() -> int:
    """Read by Dask's own reader, in this worker."""
    import dask
    from dask import dataframe

    with dask.config.set(scheduler="synchronous"):
        return len(dataframe.read_parquet(reads.URL))


def run_program() -> int:
    """Have a program of its own read."""
    import subprocess
    import sys

    code = "from tests.fleet import reads; reads.read_by_boto3()"
    return subprocess.run([sys.executable, "-c", code], check=False).returncode
