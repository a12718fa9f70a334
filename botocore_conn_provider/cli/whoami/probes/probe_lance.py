"""Open a table with lance."""

from __future__ import annotations

import sys

import lance

options = {
    "aws_endpoint": sys.argv[1],
    "aws_region": "us-east-1",
    "allow_http": "true",
}
lance.dataset("s3://whoami/x.lance", storage_options=options)
