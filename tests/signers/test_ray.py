"""awswrangler on Ray, in a cluster of this machine: whose key is on the wire.

It lists and reads S3 with pyarrow there, which finds credentials by itself.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.cli.whoami.loopback_aws import LoopbackMachine
from botocore_conn_provider.cli.whoami.loopback_server import serve
from botocore_conn_provider.cli.whoami.marker_keys import MarkerKeys
from tests.startup.conftest import AUTOLOAD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.signers.conftest import Programs

READ = """
import ray, tempfile
with tempfile.TemporaryDirectory(prefix="ray") as place:
    ray.init(num_cpus=1, include_dashboard=False, _temp_dir=place)
    try:
        import awswrangler as wr, tables_awswrangler
        assert wr.engine.get().value == "ray"
        print(tables_awswrangler.count_rows("s3://tables/table.csv"))
    finally:
        ray.shutdown()
"""
PASS_A_SESSION = """
import awswrangler as wr, boto3
wr.engine.set("ray")
wr.s3.read_csv("s3://tables/table.csv", boto3_session=boto3.Session())
"""


@pytest.fixture(autouse=True)
def machines_key_id(programs: Programs) -> Iterator[str]:
    """Activate every Python of the cluster, on a machine whose role pyarrow can find."""
    programs.environ |= {
        "AWS_ENDPOINT_URL_S3": programs.service.url,
        "PYTHONPATH": str(AUTOLOAD),
        "RAY_USAGE_STATS_ENABLED": "0",
        "WR_ENGINE": "ray",
        "WR_MEMORY_FORMAT": "modin",
    }
    keys = MarkerKeys.make()
    with serve(LoopbackMachine(keys, MarkerKeys.make())) as url:
        programs.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = url
        yield json.loads(keys.write_document())["AccessKeyId"]


def list_key_ids(programs: Programs) -> set[str | None]:
    """Return who signed; None for a request that is not signed."""
    return {signed and signed.key_id for _, signed in programs.service.requests}


def test_with_engines_on_every_process_signs_as_the_connection(
    programs: Programs,
) -> None:
    programs.environ["BOTOCORE_CONN_ENGINES"] = "on"
    assert programs.run(READ) == "2\n"

    # The driver's and its workers'.
    assert len(programs.issued) > 1
    assert set(programs.service.key_ids) == set(programs.issued)


def test_with_the_store_on_a_machine_makes_one_exchange(
    programs: Programs, tmp_path: Path
) -> None:
    programs.environ["BOTOCORE_CONN_ENGINES"] = "on"
    programs.environ["BOTOCORE_CONN_STORE"] = str(tmp_path)
    programs.run(READ)

    (key_id,) = programs.issued
    assert set(programs.service.key_ids) == {key_id}


def test_with_activation_alone_pyarrow_signs_as_the_machine(
    programs: Programs, machines_key_id: str
) -> None:
    programs.fail(READ)

    assert list_key_ids(programs) == {machines_key_id}, (
        "it has changed: say so in docs/signers.md"
    )


def test_with_engines_on_a_wrong_connection_signs_nothing(programs: Programs) -> None:
    programs.environ["BOTOCORE_CONN_ENGINES"] = "on"
    programs.break_connection()
    programs.fail(READ)

    assert list_key_ids(programs) <= {None}


def test_session_cannot_be_passed(programs: Programs) -> None:
    told = programs.fail(PASS_A_SESSION)

    assert "not supported in distributed mode" in told
    assert "boto3_session" in told
    assert programs.service.requests == []
