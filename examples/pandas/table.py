"""Write a table to S3 and read it back: pandas asks s3fs, s3fs asks aiobotocore.

export AIRFLOW_CONN_AWS_DEFAULT='{"conn_type": "aws", "login": ..., ...}'
export PYTHONPATH=".../botocore_conn_provider/startup/autoload"
python table.py s3://my-bucket/table.csv
"""

from __future__ import annotations

import sys

import pandas as pd

place = sys.argv[1]
pd.DataFrame({"city": ["Bern", "Oslo"], "people": [134, 717]}).to_csv(
    place, index=False
)
print(pd.read_csv(place)["people"].sum())
