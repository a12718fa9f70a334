"""List a bucket with obstore. AWS_ALLOW_HTTP lets it use our endpoint."""

from __future__ import annotations

import sys

import obstore
from obstore.store import S3Store

store = S3Store("whoami", endpoint=sys.argv[1], region="us-east-1")
obstore.list(store).collect()
