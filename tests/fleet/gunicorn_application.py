"""A web application that asks AWS at each request, as gunicorn's workers run it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import boto3

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# Made when the module is imported: by each worker, or before the fork with --preload.
S3 = boto3.client("s3")


def application(
    environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Answer with the process, and with what was read or what was wrong."""
    found: dict[str, object] = {"process": os.getpid()}
    try:
        answer = S3.get_object(Bucket="tables", Key="numbers.parquet")
        found["bytes"] = len(answer["Body"].read())
        if environ["PATH_INFO"] == "/polars":
            found["rows"] = read_by_polars()
    except Exception as error:  # noqa: BLE001 - the test wants to see it
        found["error"] = f"{type(error).__name__}: {error}"
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(found).encode()]


def read_by_polars() -> int:
    import polars

    endpoint = {"aws_endpoint_url": os.environ["TEST_S3_URL"]}
    table = polars.read_parquet("s3://tables/numbers.parquet", storage_options=endpoint)
    return int(table.height)
