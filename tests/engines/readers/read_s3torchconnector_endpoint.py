"""The client of s3torchconnector, which is Mountpoint's, by the endpoint."""

from __future__ import annotations

import botocore_conn_provider
from botocore_conn_provider import Connection

botocore_conn_provider.install(engines=True)

from s3torchconnectorclient._mountpoint_s3_client import (  # noqa: E402 - after it
    MountpointS3Client,
)

client = MountpointS3Client(
    region="us-east-1",
    endpoint=str(Connection.from_env().extra["endpoint_url"]),
    force_path_style=True,
)


def read() -> int:
    return sum(len(each.object_info) for each in client.list_objects("tables"))
