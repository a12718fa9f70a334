"""List a bucket with botocore, as a program does that names no credentials."""

from __future__ import annotations

import sys

import botocore.session

session = botocore.session.get_session()
s3 = session.create_client("s3", endpoint_url=sys.argv[1], region_name="us-east-1")
s3.list_objects_v2(Bucket="whoami")
