"""A Dask job on two nodes, and who asks STS for it: `make demo-fleet`, about a minute.

No AWS account, no AWS network: the AWS is moto's, on loopback. Its credentials live for
seconds, so that renewals are seen.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import threading
import time
from pathlib import Path

import boto3
import dask_job
import pandas as pd
from distributed import Client, LocalCluster
from nodes import run_nodes
from picture import Picture
from rich.console import Console
from rich.live import Live
from short_lived_aws import ADMIN, ShortLivedAws

from botocore_conn_provider.fleet.dask import ConnectionPlugin

LIFE_SECONDS, READ_SECONDS, WORKERS = 16, 36, 4
URL = "s3://lake/numbers.parquet"
console = Console(highlight=False)


def prepare(aws: ShortLivedAws) -> dict[str, str]:
    """Write the table; return the environment of a node that has keys of its own."""
    for name in [each for each in os.environ if each.startswith(("AWS_", "BOTO"))]:
        del os.environ[name]
    admin = boto3.client(
        "s3",
        "us-east-1",
        endpoint_url=aws.url,
        aws_access_key_id=ADMIN,
        aws_secret_access_key="admin",  # noqa: S106 - it opens nothing
    )
    admin.create_bucket(Bucket="lake")
    table = io.BytesIO()
    pd.DataFrame({"number": range(100)}).to_parquet(table)
    admin.put_object(Bucket="lake", Key="numbers.parquet", Body=table.getvalue())
    role = "arn:aws:iam::123456789012:role/reader"
    connection = {
        "conn_type": "aws",
        "login": "AKIALAKELAKELAKELAKE",
        "password": "secret-of-the-connection",
        "extra": {"role_arn": role, "region_name": "us-east-1"},
    }
    return {
        **os.environ,
        "AIRFLOW_CONN_AWS_LAKE": json.dumps(connection),
        "AWS_ACCESS_KEY_ID": "AKIANODENODENODENODE",
        "AWS_SECRET_ACCESS_KEY": "secret-of-the-node",
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }


def show(client: Client, picture: Picture) -> None:
    """Run the job, and show who asks meanwhile.

    Raises:
        Exception: That of a task that failed.
    """
    failed: list[Exception] = []

    def run() -> None:
        try:
            dask_job.read_for(client, URL, READ_SECONDS, report=picture.count_task)
        except Exception as error:  # noqa: BLE001 - raised again below
            failed.append(error)

    running = threading.Thread(target=run)
    running.start()
    with Live(picture, console=console, refresh_per_second=4) as live:
        while running.is_alive():
            for event in picture.look():
                if not console.is_terminal:
                    console.print(picture.describe(event))
            time.sleep(0.5)
        picture.look()
        if not console.is_terminal:
            live.update("")  # its events have been told in lines
    if failed:
        raise failed[0]


def main() -> None:
    """Start an AWS and two nodes, and run the job."""
    aws = ShortLivedAws(LIFE_SECONDS)
    options = {"n_workers": 0, "dashboard_address": None, "silence_logs": 50}
    with (
        tempfile.TemporaryDirectory() as directory,
        aws.serve(),
        LocalCluster(**options) as cluster,
        Client(cluster) as client,
    ):
        environ = prepare(aws)
        address, place = cluster.scheduler_address, Path(directory)
        with run_nodes(address, place, environ, workers=WORKERS) as nodes:
            console.print(
                "\nEach node has the connection; the driver sends its name:\n"
            )
            console.print('   client.register_plugin(ConnectionPlugin("aws_lake"))\n')
            client.register_plugin(ConnectionPlugin("aws_lake"))
            client.wait_for_workers(2 * WORKERS)
            picture = Picture(aws, nodes, workers=WORKERS, seconds=READ_SECONDS + 4)
            show(client, picture)
            console.print(f"\n[bold]Done.[/] {picture.summarize()}\n")
            if aws.refused:
                raise SystemExit("S3 refused something. That must not be.")


if __name__ == "__main__":
    main()
