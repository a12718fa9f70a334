"""Bridges where the environment, the moment or the program is against them."""

from __future__ import annotations

import gc
import json
import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import boto3
import daft
import duckdb
import pytest

from botocore_conn_provider import CredentialFetchError, bridges
from botocore_conn_provider.bridges import duckdb_secret
from tests.child import DEADLINE_SECONDS
from tests.connections import ROLE, make_role
from tests.engines.environment import lend_extensions
from tests.engines.reading import SHORT_LIVED
from tests.engines.test_bridges import BRIDGED
from tests.engines.test_duckdb_secret import count_threads, list_secrets, show, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws import Aws
    from tests.engines.guarded_s3 import GuardedS3
    from tests.engines.reading import StartReader
    from tests.leaks import Secrets

NOBODY = "http://127.0.0.1:9"
# Each of these wins over what some library was given, unless it is given more.
FOREIGN = {
    "AWS_SKIP_SIGNATURE": "true",
    "AWS_ENDPOINT_URL_S3": NOBODY,
    "AWS_ENDPOINT_URL": NOBODY,
    "AWS_ENDPOINT": NOBODY,
    "AWS_SESSION_TOKEN": "foreign",
    "AWS_REGION": "eu-foreign-1",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{NOBODY}/foreign",
    "FSSPEC_S3_KEY": "AKIAFOREIGN",
    "FSSPEC_S3_SECRET": "foreign",
    "FSSPEC_S3_ENDPOINT_URL": NOBODY,
}
RESTLESS = """
import time, duckdb
from botocore_conn_provider import bridges
from botocore_conn_provider.bridges import duckdb_renewal

duckdb_renewal.SHORTEST_SECONDS = duckdb_renewal.LONGEST_SECONDS = 0.0005
databases = []
for _ in range(6):
    database = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    database.execute("LOAD httpfs")
    bridges.duckdb(database)
    databases.append(database)
time.sleep(0.3)
print("done")
"""
READ_PICKLED = """
import pickle, sys, daft

settings = pickle.load(sys.stdin.buffer)
daft.read_parquet("s3://tables/numbers.parquet", io_config=settings).to_pydict()
"""
PROGRAM = """
import datetime, json, pathlib, sys
here = pathlib.Path(sys.argv[1])
with (here / "asks").open("a") as asks:
    asks.write("x")
if (here / "broken").exists():
    sys.exit("it is broken")
ends_at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=4)
print(json.dumps(dict(
    Version=1,
    AccessKeyId=f"AKIAPROGRAM{(here / 'asks').stat().st_size}",
    SecretAccessKey="x",
    SessionToken="y",
    Expiration=ends_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
)))
"""


@pytest.fixture
def _foreign(s3: GuardedS3, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def _unsigned(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    monkeypatch.setenv("FSSPEC_S3_ANON", "true")


@pytest.fixture
def database(isolated: Path) -> Any:
    lend_extensions(isolated)
    return open_database()


@pytest.fixture
def role(aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Put a connection with a role."""
    document = make_role(aws, secrets, region_name="us-east-1")
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(document))
    return document


def open_database() -> Any:
    database = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    database.execute("LOAD httpfs")
    return database


@pytest.mark.usefixtures("_foreign")
@pytest.mark.parametrize("name", [*BRIDGED, "polars_delta"])
def test_environment_takes_no_place_of_the_connections(
    name: str, aws: Aws, s3: GuardedS3, start_reader: StartReader
) -> None:
    with start_reader(name) as reader:
        assert "rows" in reader.read_next()

    assert {str(each) for each in s3.key_ids} == set(aws.issued)
    assert s3.refusals == set()


@pytest.mark.usefixtures("_unsigned")
def test_configuration_of_fsspec_takes_no_signature_away(
    s3: GuardedS3, start_reader: StartReader
) -> None:
    with start_reader("pyarrow") as reader:
        assert "rows" in reader.read_next()

    assert s3.refusals == set()


def test_duckdb_sends_no_token_of_the_environment_with_lasting_keys(
    aws: Aws, secrets: Secrets, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lend_extensions(isolated)
    key_id = secrets.new_access_key_id()
    document = {
        "conn_type": "aws",
        "login": key_id,
        "password": secrets.new("secret access key"),
        "extra": {"region_name": "us-east-1", "endpoint_url": aws.url},
    }
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(document))
    boto3.client(
        "s3",
        "us-east-1",
        endpoint_url=aws.url,
        aws_access_key_id="AKIAMAKER",
        aws_secret_access_key="maker",
    ).create_bucket(Bucket="tables")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "foreign")
    database = open_database()
    bridges.duckdb(database)
    assert database.execute("FROM glob('s3://tables/*.csv')").fetchall() == []
    asked = aws.requests[-1]
    assert asked.access_key_id == key_id
    assert asked.security_token is None


@pytest.mark.usefixtures("role")
def test_secret_of_duckdbs_default_connection_is_renewed_until_that_is_closed(
    aws: Aws, isolated: Path
) -> None:
    aws.inject(SHORT_LIVED, times=100)
    lend_extensions(isolated)
    duckdb.default_connection().execute("LOAD httpfs")
    bridges.duckdb(duckdb.default_connection())
    gc.collect()
    (first,) = aws.issued
    wait_for(
        lambda: first not in show(duckdb.default_connection()), "the first keys stay"
    )
    duckdb.default_connection().close()
    wait_for(lambda: count_threads() == 0, "the thread goes on")


@pytest.mark.usefixtures("role")
def test_program_ends_in_peace_while_secrets_are_renewed(isolated: Path) -> None:
    """A daemon thread in DuckDB at the interpreter's end is an abort."""
    lend_extensions(isolated)
    for _ in range(3):
        ended = subprocess.run(
            [sys.executable, "-c", RESTLESS],
            env={**os.environ},
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        assert (ended.stdout, ended.stderr, ended.returncode) == ("done\n", "", 0)


def test_secret_survives_an_error_of_botocores_chain(
    database: Any, isolated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, broken, asks = (tmp_path / each for each in ("program", "broken", "asks"))
    program.write_text(PROGRAM)
    (isolated / ".aws" / "config").write_text(
        f"[profile chain]\ncredential_process = {sys.executable} {program} {tmp_path}\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "chain")
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", '{"conn_type": "aws"}')
    bridges.duckdb(database)
    broken.touch()
    before, shown = len(asks.read_text()), show(database)
    wait_for(lambda: len(asks.read_text()) > before, "it is not asked again")
    broken.unlink()
    wait_for(lambda: show(database) != shown, "the old keys stay")
    database.close()


@pytest.mark.usefixtures("role")
def test_secret_that_is_dropped_while_it_is_written_stays_dropped(
    database: Any, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.inject(SHORT_LIVED, times=100)
    list_all = duckdb_secret._list_secrets

    def drop_then(cursor: Any) -> list[tuple[str, list[str]]]:
        found = list_all(cursor)
        if found and len(aws.issued) > 1:
            database.execute(f'DROP SECRET "{name}"')
        return found

    monkeypatch.setattr(duckdb_secret, "_list_secrets", drop_then)
    name = bridges.duckdb(database)
    wait_for(lambda: count_threads() == 0, "the thread goes on")
    assert list_secrets(database) == []


@pytest.mark.usefixtures("role")
def test_slash_at_the_end_makes_no_other_scope(database: Any) -> None:
    """DuckDB would take the longer one, for each path there is."""
    database.execute(
        "CREATE SECRET mine (TYPE s3, KEY_ID 'AKIA', SECRET 'x', SCOPE 's3://lake/')"
    )
    with pytest.raises(CredentialFetchError, match=r"'mine'.*the same scope"):
        bridges.duckdb(database, scope="s3://lake")


def test_daft_goes_on_with_no_keys_of_the_environment_where_it_was_pickled(
    aws: Aws, s3: GuardedS3, role: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    role["extra"]["endpoint_url"] = s3.url
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(role))
    settings = bridges.daft()
    daft.read_parquet("s3://tables/numbers.parquet", io_config=settings).to_pydict()
    (first,) = aws.issued

    role["extra"]["role_arn"] = f"{ROLE}-of-another-environment"
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(role))
    before = len(s3.judged)
    subprocess.run(
        [sys.executable, "-c", READ_PICKLED],
        input=pickle.dumps(settings),
        timeout=DEADLINE_SECONDS,
        check=True,
    )
    assert {each.key_id for each in s3.judged[before:]} == set(aws.issued) - {first}


def test_daft_takes_no_connection_for_another_one(
    s3: GuardedS3, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bridge may be made where another one was, of which a pickle is under way."""
    made = []
    logins = {name: secrets.new_access_key_id() for name in ("lake", "sea")}
    for name, login in logins.items():
        extra = {"region_name": "us-east-1", "endpoint_url": s3.url}
        document = {"login": login, "password": secrets.new("key"), "extra": extra}
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(document))
    for name in ["lake", "sea"] * 15:
        made.append((name, pickle.dumps(bridges.daft(name))))
        gc.collect()
    for name, pickled in made:
        before = len(s3.judged)
        settings = pickle.loads(pickled)  # noqa: S301 - made above
        with pytest.raises(Exception, match="numbers"):  # no key of STS
            daft.read_parquet("s3://tables/numbers.parquet", io_config=settings)
        assert {each.key_id for each in s3.judged[before:]} == {logins[name]}
