"""List a bucket with pyarrow's own S3 client, the AWS SDK for C++."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

from pyarrow import fs

files = fs.S3FileSystem(
    endpoint_override=urlsplit(sys.argv[1]).netloc, scheme="http", region="us-east-1"
)
files.get_file_info(fs.FileSelector("whoami"))
