"""The example of a job that reads for longer than credentials live runs as it stands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.aws import Fault
from tests.engines.guarded_s3 import EXPIRED
from tests.fleet.machine import make_text, run_machine, serve_table
from tests.fleet.ray_cluster import ONE, run_cluster

if TYPE_CHECKING:
    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets

# Ray's own warnings about itself.
pytestmark = pytest.mark.filterwarnings("default")

PROGRAM = Path(__file__).parents[2] / "examples" / "fleet_ray" / "read_table.py"
LIFE_SECONDS = 16
DEADLINE_SECONDS = 150


def test_each_library_reads_across_renewals(
    aws: Aws, secrets: Secrets, leaks: Leaks
) -> None:
    aws.inject(Fault(expires_in_seconds=LIFE_SECONDS), times=1000)
    with serve_table(aws) as s3, run_machine(s3, secrets) as environment:
        environment["AIRFLOW_CONN_AWS_LAKE"] = make_text(aws, secrets, s3)
        with run_cluster(environment, leaks) as cluster:
            cluster.start(ONE, workers=3)
            table, seconds = "s3://tables/numbers.parquet", str(2 * LIFE_SECONDS)
            arguments = ["aws_lake", table, seconds, s3.url]
            ended = subprocess.run(
                [sys.executable, str(PROGRAM), *arguments],
                env={**os.environ, "RAY_ADDRESS": cluster.address},
                capture_output=True,
                text=True,
                timeout=DEADLINE_SECONDS,
                check=False,
            )
    assert ended.returncode == 0, ended.stderr[-3000:]
    for library in ("pandas", "polars", "pyarrow"):
        assert f"{library}: 3 rows" in ended.stdout
    # A library signs with what it holds, which may end on the way; it then asks again.
    assert s3.refusals <= {EXPIRED}
    assert set(s3.key_ids) <= set(aws.issued)
    assert len(s3.key_ids) >= 2
    leaks.check_text(ended.stdout + ended.stderr, place="the job's output")
