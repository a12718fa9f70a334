"""List a bucket with the client of s3torchconnector, which is Mountpoint's."""

from __future__ import annotations

import sys

from s3torchconnectorclient._mountpoint_s3_client import MountpointS3Client

client = MountpointS3Client(
    region="us-east-1", endpoint=sys.argv[1], force_path_style=True, max_attempts=1
)
list(client.list_objects("whoami"))
