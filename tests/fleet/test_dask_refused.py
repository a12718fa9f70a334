"""What the driver sees when a Dask worker has no credentials; S3 sees nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

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
from tests.fleet.dask_nodes import DaskNodes, register

if TYPE_CHECKING:
    from distributed import Client

    from tests.aws import Aws
    from tests.engines.guarded_s3 import GuardedS3

WORKERS = 8
# Renewed 10 to 12.5 s after they were issued.
LIFE_SECONDS, RENEWED_AFTER = 20, 10
EXAMPLE = Path(__file__).parents[2] / "examples/fleet_dask/dask_job.py"
PRELOAD = ("--preload", dask_preloads.__file__)


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
        client.submit(reads.keep_client, pure=False).result()
        before = len(s3.judged)
        with pytest.raises(CredentialFetchError, match="no nanny to restart it"):
            register(client)
        error = self.fail(client, reads.keep_client)
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
