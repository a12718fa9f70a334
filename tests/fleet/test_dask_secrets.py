"""Dask: keys are never sent, and the connection's text only where the driver says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from dask import delayed
from distributed.protocol.pickle import dumps, loads

from botocore_conn_provider import (
    ConnectionNotFoundError,
    InvalidConnectionError,
)
from botocore_conn_provider.fleet.dask import ConnectionPlugin
from tests.fleet import dask_preloads, reads
from tests.fleet.conftest import LAKE
from tests.fleet.dask_nodes import DaskNodes, check_identity, register

if TYPE_CHECKING:
    from distributed import Client

    from tests.aws import Aws
    from tests.engines.guarded_s3 import GuardedS3
    from tests.leaks import Leaks

WORKERS = 8
# Renewed 10 to 12.5 s after they were issued.
LIFE_SECONDS, RENEWED_AFTER = 20, 10
EXAMPLE = Path(__file__).parents[2] / "examples/fleet_dask/dask_job.py"
PRELOAD = ("--preload", dask_preloads.__file__)


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
