"""Write an object and read it back with aioboto3. Nothing here knows of a connection.

export AIRFLOW_CONN_AWS_DEFAULT='{"conn_type": "aws", "login": ..., ...}'
export PYTHONPATH=".../botocore_conn_provider/startup/autoload"
python upload.py my-bucket
"""

from __future__ import annotations

import asyncio
import sys

import aioboto3


async def main(bucket: str) -> None:
    """Write and read one object."""
    async with aioboto3.Session().client("s3") as s3:
        await s3.put_object(Bucket=bucket, Key="greeting", Body=b"hello")
        answer = await s3.get_object(Bucket=bucket, Key="greeting")
        print((await answer["Body"].read()).decode())


asyncio.run(main(sys.argv[1]))
