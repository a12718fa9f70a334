"""Open a table with deltalake. A given endpoint makes it look as obstore does."""

from __future__ import annotations

import sys

from deltalake import DeltaTable

options = {"aws_endpoint_url": sys.argv[1], "aws_region": "us-east-1"}
DeltaTable("s3://whoami/table", storage_options=options)
