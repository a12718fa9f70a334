"""The secret that the bridge keeps in a real DuckDB."""

from __future__ import annotations

import gc
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from botocore_conn_provider import CredentialFetchError, bridges
from botocore_conn_provider import events as events_module
from tests.aws import Fault
from tests.connections import make_role
from tests.engines.environment import lend_extensions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets

THREAD = "botocore-conn-duckdb"


@pytest.fixture
def open_database(isolated: Path, tmp_path: Path) -> Callable[[], Any]:
    lend_extensions(isolated)

    def open_database() -> Any:
        database = duckdb.connect(
            str(tmp_path / "tables.duckdb"),
            config={"autoinstall_known_extensions": "false"},
        )
        database.execute("LOAD httpfs")
        return database

    return open_database


@pytest.fixture
def _connection(aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a connection whose sets live for eight seconds."""
    document = make_role(aws, secrets)
    aws.inject(Fault(expires_in_seconds=8), times=1000)
    for name in ("AWS_DEFAULT", "OTHER"):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(document))


pytestmark = pytest.mark.usefixtures("_connection")


def list_secrets(database: Any) -> list[tuple[str, str]]:
    """Return the names of the secrets and what DuckDB shows of them."""
    found: list[tuple[str, str]] = database.execute(
        "SELECT name, secret_string FROM duckdb_secrets()"
    ).fetchall()
    return found


def show(database: Any) -> str:
    return "\n".join(text for _, text in list_secrets(database))


def wait_for(is_true: Callable[[], object], what: str) -> None:
    ends = time.monotonic() + 60
    while not is_true():
        assert time.monotonic() < ends, what
        time.sleep(0.05)


def count_threads() -> int:
    return sum(each.name == THREAD for each in threading.enumerate())


def test_secret_has_new_keys_when_they_are_renewed(
    aws: Aws, open_database: Callable[[], Any]
) -> None:
    database = open_database()
    name = bridges.duckdb(database)
    assert [each for each, _ in list_secrets(database)] == [name]
    (first,) = aws.issued
    assert first in show(database)

    wait_for(lambda: first not in show(database), "the first keys stay")
    assert set(aws.issued) >= {first}
    assert any(key_id in show(database) for key_id in aws.issued)
    database.close()


def test_keys_stand_in_no_log_and_no_error_of_duckdbs(
    open_database: Callable[[], Any], leaks: Leaks
) -> None:
    database = open_database()
    database.execute("CALL enable_logging('QueryLog')")
    name = bridges.duckdb(database, scope="s3://lake")
    logged = database.execute("SELECT message FROM duckdb_logs").fetchall()
    assert "CREATE OR REPLACE TEMPORARY SECRET" in str(logged)
    with leaks.user_calls():  # a key id may be shown: DuckDB does
        leaks.check_text(str(logged))
    with pytest.raises(duckdb.Error, match="no_such_type") as raised:
        database.execute(f'CREATE SECRET "{name}_x" (TYPE no_such_type)')
    leaks.check_text(str(raised.value))
    database.close()


def test_secret_says_where_the_connection_leads(
    open_database: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = {"region_name": "eu-west-3", "endpoint_url": "http://minio:9000/"}
    document = {"conn_type": "aws", "login": "AKIA", "password": "x", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(document))
    database = open_database()
    before = threading.enumerate()
    bridges.duckdb(database, scope=["s3://lake", "s3://sea"])
    assert set(threading.enumerate()) <= {*before}  # its keys have no end
    shown = show(database)
    for part in (
        "endpoint=minio:9000;",
        "region=eu-west-3",
        "use_ssl=false",
        "url_style=path",
        "scope=s3://lake,s3://sea",
    ):
        assert part in shown
    database.close()


def test_second_bridge_for_a_scope_takes_the_place_of_the_first(
    open_database: Callable[[], Any],
) -> None:
    """As when a cell of a notebook is run again, or names another connection."""
    database = open_database()
    bridges.duckdb(database)
    name = bridges.duckdb(database, "other")
    assert [each for each, _ in list_secrets(database)] == [name]
    wait_for(lambda: count_threads() == 1, "the first one's thread goes on")
    assert [each for each, _ in list_secrets(database)] == [name]
    database.close()


def test_scopes_are_kept_apart(open_database: Callable[[], Any]) -> None:
    database = open_database()
    names = {
        bridges.duckdb(database, scope="s3://lake"),
        bridges.duckdb(database, "other", scope="s3://sea"),
    }
    assert {each for each, _ in list_secrets(database)} == names
    database.close()


def test_secret_of_the_program_for_the_same_scope_is_an_error(
    open_database: Callable[[], Any],
) -> None:
    database = open_database()
    database.execute("CREATE SECRET mine (TYPE s3, KEY_ID 'AKIA', SECRET 'x')")
    with pytest.raises(CredentialFetchError, match=r"'mine'.*the same scope"):
        bridges.duckdb(database)
    assert [each for each, _ in list_secrets(database)] == ["mine"]
    bridges.duckdb(database, scope="s3://lake")
    database.close()


def test_error_of_duckdbs_shows_no_key_in_its_traceback(
    open_database: Callable[[], Any], leaks: Leaks
) -> None:
    database = open_database()
    database.close()
    with pytest.raises(duckdb.ConnectionException) as raised:
        bridges.duckdb(database)
    leaks.check_error(raised.value)
    with pytest.raises(duckdb.Error, match="httpfs") as raised:
        bridges.duckdb(
            duckdb.connect(
                config={
                    "autoinstall_known_extensions": "false",
                    "autoload_known_extensions": "false",
                }
            )
        )
    leaks.check_error(raised.value)


def test_dropped_secret_stays_dropped(open_database: Callable[[], Any]) -> None:
    database = open_database()
    name = bridges.duckdb(database)
    database.execute(f'DROP SECRET "{name}"')
    wait_for(lambda: count_threads() == 0, "the thread goes on")
    assert list_secrets(database) == []
    database.close()


def test_thread_ends_with_the_connection(
    open_database: Callable[[], Any],
) -> None:
    closed = open_database()
    bridges.duckdb(closed)
    closed.close()
    again = open_database()  # nothing of ours keeps the file
    wait_for(lambda: count_threads() == 0, "the closed one's thread goes on")

    bridges.duckdb(again)
    assert count_threads() == 1
    del again
    gc.collect()
    wait_for(lambda: count_threads() == 0, "the thread goes on without a connection")
    assert events_module._listeners == ()


def test_secret_is_renewed_while_the_program_is_in_a_transaction(
    aws: Aws, open_database: Callable[[], Any]
) -> None:
    database = open_database()
    bridges.duckdb(database)
    (first,) = aws.issued
    watching = database.cursor()
    database.begin()
    database.execute("CREATE TABLE numbers AS SELECT 1 AS number")
    wait_for(lambda: first not in show(watching), "the first keys stay")
    database.commit()
    assert database.execute("FROM numbers").fetchall() == [(1,)]
    database.close()
