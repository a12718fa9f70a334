"""List a bucket with DuckDB, by the credential chain of its `aws` extension.

Nothing is downloaded: without the extensions the probe says that it is not here.
"""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

import duckdb

NOT_HERE = 77

database = duckdb.connect(config={"autoinstall_known_extensions": "false"})
try:
    database.execute("LOAD httpfs; LOAD aws")
except duckdb.Error:
    sys.exit(NOT_HERE)
place = urlsplit(sys.argv[1]).netloc
database.execute(
    "CREATE SECRET (TYPE s3, PROVIDER credential_chain, REGION 'us-east-1',"
    f" ENDPOINT '{place}', URL_STYLE 'path', USE_SSL false)"
)
database.execute("SELECT * FROM glob('s3://whoami/*')")
