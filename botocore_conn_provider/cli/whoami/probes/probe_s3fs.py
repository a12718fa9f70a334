"""List a bucket with s3fs, which pandas, fsspec, zarr and dask use."""

from __future__ import annotations

import sys

import s3fs

options = {"endpoint_url": sys.argv[1], "region_name": "us-east-1"}
s3fs.S3FileSystem(client_kwargs=options).ls("whoami")
