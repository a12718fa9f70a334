"""List a bucket with botocore, as a program does that names no credentials."""

from __future__ import annotations

import sys
from typing import Any

import botocore.session

session = botocore.session.get_session()
place = sys.argv[1]
s3: Any = session.create_client("s3", endpoint_url=place, region_name="us-east-1")
s3.list_objects_v2(Bucket="whoami")
