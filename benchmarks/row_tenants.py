"""Resident memory after many tenants came and went in one process."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.interpreter import read_figures
from benchmarks.row import Row
from benchmarks.stub_aws import run_stub_aws
from benchmarks.ways import build_ways

TENANTS = 100
LIMIT_MIB = 8
# Each tenant has a role of its own, and two calls in a session of his own. The first
# ones are not counted: they load what all share.
PROGRAM = """
import gc, os, resource
{install}
import boto3
def read_resident():
    gc.collect()
    pages = int(open('/proc/self/statm').read().split()[1])
    return pages * resource.getpagesize() / 2**20
def come_and_go(tenant):
    {become}
    session = boto3.Session()
    session.client('ec2')
    session.client('s3').list_buckets()
for tenant in range(3):
    come_and_go(-tenant)
before = read_resident()
for tenant in range({tenants}):
    come_and_go(tenant)
    gc.collect()
print(read_resident() - before)
"""
BECOME = (
    "os.environ['AIRFLOW_CONN_AWS_DEFAULT'] = os.environ['OF_TENANT']"
    ".replace('benchmark\"', f'benchmark-{tenant}\"')"
)


def measure() -> list[Row]:
    """Make two clients for each tenant, ours and plain boto3's (Linux only)."""
    with run_stub_aws() as url, tempfile.TemporaryDirectory() as directory:
        ways = build_ways(url, Path(directory))
        way, other = ways["conn role"], ways["botocore role"]
        connection = way.environment["AIRFLOW_CONN_AWS_DEFAULT"]
        program = PROGRAM.format(install=way.install, become=BECOME, tenants=TENANTS)
        (ours,) = read_figures(program, {**way.environment, "OF_TENANT": connection})
        program = PROGRAM.format(install="", become="pass", tenants=TENANTS)
        (theirs,) = read_figures(program, other.environment)
    return [
        Row(
            what=f"resident memory after {TENANTS} tenants came and went",
            ours=f"{ours:+.1f} MiB",
            against="as many sessions of plain boto3",
            theirs=f"{theirs:+.1f} MiB",
            result=f"{ours - theirs:+.1f} MiB",
            limit=f"≤ {LIMIT_MIB} MiB",
            holds=ours - theirs <= LIMIT_MIB,
        )
    ]
