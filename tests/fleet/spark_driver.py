"""A Spark driver that a test talks to: a line of JSON in, a line of JSON out.

`spark_driver.py OPTIONS`, where OPTIONS is JSON: `settings` of Spark, `configure` as its
arguments, `sends`. What the tasks run is pickled with this file.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, Any

from pyspark.sql import SparkSession
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.functions import udtf
from pyspark.sql.types import StructType
from pyspark.sql.udtf import AnalyzeResult

from botocore_conn_provider.fleet import spark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KINDS = ("boto3", "s3fs", "polars", "pyarrow")


def read(kind: str) -> int:
    """Read the table by one library, which finds credentials by itself."""
    url = os.environ["TEST_S3"]
    if kind == "boto3":
        import boto3

        client = boto3.client("s3")
        return len(client.list_objects_v2(Bucket="tables")["Contents"]) + 2
    if kind == "s3fs":
        import pandas
        import s3fs

        s3fs.S3FileSystem.clear_instance_cache()
        return len(pandas.read_parquet("s3://tables/numbers.parquet"))
    if kind == "polars":
        import polars

        options = {
            "aws_endpoint_url": url,
            "aws_allow_http": "true",
            "aws_region": "us-east-1",
        }
        return len(
            polars.read_parquet("s3://tables/numbers.parquet", storage_options=options)
        )
    from pyarrow import fs, parquet

    place = url.partition("://")[2]
    lake = fs.S3FileSystem(endpoint_override=place, scheme="http", region="us-east-1")
    return int(parquet.read_table("tables/numbers.parquet", filesystem=lake).num_rows)


def make_work(
    kinds: tuple[str, ...], seconds: float, until: str
) -> Callable[[Iterator[int]], Iterator[dict[str, Any]]]:
    """Return what a task does: read again and again, at least once.

    For so long, or until there is a file.
    """

    def work(parts: Iterator[int]) -> Iterator[dict[str, Any]]:
        (number,) = parts
        ends_at = time.monotonic() + seconds
        kind, rows = kinds[number % len(kinds)], set()
        while True:
            rows.add(read(kind))
            if os.path.exists(until) if until else time.monotonic() >= ends_at:  # noqa: PTH110
                break
            time.sleep(0.2)
        store = os.environ["BOTOCORE_CONN_STORE"]
        seen = {"node": store, "pid": os.getpid(), "daemon": os.getppid()}
        yield {**seen, "rows": sorted(rows)}

    return work


def find_key() -> str:
    """Return the key id that a client of this process would sign with."""
    import boto3

    credentials = boto3.session.Session().get_credentials()
    return "" if credentials is None else str(credentials.access_key)


def find_key_in_a_child() -> str:
    """Return the same of a program that a task starts."""
    code = "import boto3; print(boto3.Session().get_credentials().access_key)"
    return subprocess.check_output([sys.executable, "-c", code], text=True).strip()


def find_in_arrow(batches: Iterator[Any]) -> Iterator[Any]:
    """Do so for mapInArrow."""
    import pyarrow

    for _ in batches:
        yield pyarrow.RecordBatch.from_pydict({"key": [find_key()]})


def find_in_pandas(frames: Iterator[Any]) -> Iterator[Any]:
    """Do so for mapInPandas."""
    import pandas

    for _ in frames:
        yield pandas.DataFrame({"key": [find_key()]})


class Asked(DataSource):
    """A data source that tells who it is when it is planned, and when it is read."""

    @classmethod
    def name(cls) -> str:
        return "asked"

    def schema(self) -> str:
        return "planned string, parted string, read string"

    def reader(self, schema: Any) -> DataSourceReader:  # noqa: ARG002 - of the class
        return AskedReader()


class AskedReader(DataSourceReader):
    """Its reader."""

    def __init__(self) -> None:
        self.planned = find_key()

    def partitions(self) -> list[InputPartition]:
        return [InputPartition(find_key())]

    def read(self, partition: InputPartition) -> Iterator[tuple[str, str, str]]:
        yield self.planned, partition.value, find_key()


@dataclasses.dataclass
class Planned(AnalyzeResult):
    """What planning the table function tells those that run it."""

    key: str = ""


class AskedTable:
    """A table function that tells who it is when it is planned, and when it runs."""

    def __init__(self, planned: Planned) -> None:
        self._planned = planned.key

    @staticmethod
    def analyze() -> Planned:
        schema = StructType().add("planned", "string").add("ran", "string")
        return Planned(schema, key=find_key())

    def eval(self) -> Iterator[tuple[str, str]]:
        yield self._planned, find_key()


class Driver:
    """Does what the lines ask for."""

    def __init__(self, options: dict[str, Any]) -> None:
        builder = SparkSession.builder
        for name, value in options["settings"].items():
            builder = builder.config(name, value)
        conn_id = options["conn_id"]
        self._session = spark.configure(
            builder, conn_id, **options.get("configure", {})
        ).getOrCreate()
        if options.get("sends"):
            logging.basicConfig(level=logging.DEBUG)
            spark.send_connection(self._session, conn_id)
        self._context = self._session.sparkContext
        self._context.setLogLevel("ERROR")

    def run(
        self,
        tasks: int,
        kinds: list[str],
        seconds: float = 0,
        *,
        until: str = "",
        together: bool = False,
    ) -> list[dict[str, Any]]:
        """Run tasks; `together` is whether all begin at once, each in its worker."""
        parts: Any = self._context.parallelize(range(tasks), tasks)
        parts = parts.barrier() if together else parts
        found: list[dict[str, Any]] = parts.mapPartitions(
            make_work(tuple(kinds), seconds, until)
        ).collect()
        return found

    def read_by_java(self, places: str) -> list[str]:
        """Read the table in the JVM of executors, by AWS's SDK for Java."""
        url = os.environ["TEST_S3"]
        # The last argument is a column's, or the driver would call it by itself.
        key = "concat('numbers.parquet', substring(cast(id as string), 10))"
        call = f"java_method('ReadByJava', 'read', '{places}', '{url}', {key}) as said"
        rows = self._session.range(0, 2, 1, 2).selectExpr(call).collect()
        return [row["said"] for row in rows]

    def find_keys(self) -> dict[str, list[str]]:
        """Return by kind of Python process the key ids that it would sign with."""
        numbers = self._session.range(0, 1, 1, 1)
        self._session.dataSource.register(Asked)
        (source,) = self._session.read.format("asked").load().collect()
        (table,) = udtf(AskedTable)().collect()
        in_arrow = numbers.mapInArrow(find_in_arrow, "key string").collect()
        in_pandas = numbers.mapInPandas(find_in_pandas, "key string").collect()
        found = {
            "RDD": self._context.range(0, 1, 1, 1).map(lambda _: find_key()).collect(),
            "data source": list(source),
            "table function": list(table),
            "mapInArrow": [row["key"] for row in in_arrow],
            "mapInPandas": [row["key"] for row in in_pandas],
            "started by a task": self._context.range(0, 1, 1, 1)
            .map(lambda _: find_key_in_a_child())
            .collect(),
            "foreachBatch": [],
        }
        stream = self._session.readStream.format("rate").load().writeStream
        stream.trigger(once=True).foreachBatch(
            lambda *_: found["foreachBatch"].append(find_key())
        ).start().awaitTermination()
        return {name: sorted(set(keys)) for name, keys in found.items()}

    def find_theirs(self) -> list[str]:
        """Return what a daemon of the user's own has set, and the key."""
        work = self._context.range(0, 1, 1, 1).map(
            lambda _: [os.environ["THEIRS"], find_key()]
        )
        (found,) = work.collect()
        return list(found)

    def find_in_a_task(self) -> list[str]:
        """Return the key of a task."""
        return list(self._context.range(0, 1, 1, 1).map(lambda _: find_key()).collect())

    def forget_name(self) -> list[str]:
        """Run a task on an executor that has not been told the connection's name."""
        self._context.environment["BOTOCORE_CONN_ID"] = ""
        return self.find_in_a_task()

    def configure_again(self, conn_id: str) -> None:
        """Configure although there is a session."""
        spark.configure(SparkSession.builder, conn_id)

    def show(self) -> dict[str, Any]:
        """Return what Spark shows of its settings."""
        url = f"{self._context.uiWebUrl}/api/v1/applications"
        place = f"{url}/{self._context.applicationId}/environment"
        with urllib.request.urlopen(place) as answer:  # noqa: S310 - on loopback
            page = answer.read().decode()
        return {"page": page, "settings": self._context.getConf().getAll()}


def main() -> None:
    """Answer line by line; under spark-submit, which hands on no lines, one."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    options = json.loads(sys.argv[1])
    driver = Driver(options)
    lines = [json.dumps({"do": options["do"]})] if "do" in options else sys.stdin
    for line in lines:
        asked = json.loads(line)
        try:
            said = {"said": getattr(driver, asked.pop("do"))(**asked)}
        except Exception as error:  # noqa: BLE001 - the test looks at it
            said = {"error": f"{type(error).__name__}: {error}"}
        out.write(json.dumps(said) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
