"""What Spark is told, and when it is refused: without a cluster."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import botocore_conn_provider
from botocore_conn_provider import ConnProviderError, InvalidConnectionError
from botocore_conn_provider.fleet import spark
from tests.startup.conftest import AUTOLOAD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

URL, TOKEN_FILE = "http://127.0.0.1:9911/credentials", "/run/aws/token"


class Builder:
    """What is used of `SparkSession.builder`."""

    def __init__(self, **options: str) -> None:
        self._options = {name.replace("__", "."): options[name] for name in options}

    def config(self, key: str, value: str) -> Builder:
        self._options[key] = value
        return self

    def __getitem__(self, name: str) -> str:
        return self._options[name]

    def __contains__(self, name: str) -> bool:
        return name in self._options


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    before = dict(os.environ)
    yield
    botocore_conn_provider.uninstall()
    for name in {*os.environ} - {*before}:
        del os.environ[name]
    os.environ.update(before)


def test_settings_name_the_connection_and_our_modules() -> None:
    assert spark.list_settings("lake", engines=False) == {
        "spark.executorEnv.BOTOCORE_CONN_ID": "lake",
        "spark.executorEnv.BOTOCORE_CONN_ENGINES": "0",
        "spark.python.daemon.module": "botocore_conn_provider.fleet.spark_daemon",
        "spark.python.worker.module": "botocore_conn_provider.fleet.spark_worker",
    }


def test_s3a_asks_a_container_endpoint_and_never_the_instance() -> None:
    provider = spark.list_settings("lake")[
        "spark.hadoop.fs.s3a.aws.credentials.provider"
    ]
    assert provider == (
        "software.amazon.awssdk.auth.credentials.ContainerCredentialsProvider"
    )


def test_store_of_a_node_is_the_nodes_own_business() -> None:
    assert not any(
        "STORE" in name
        for name in spark.list_settings("lake", endpoint=URL, token_file=TOKEN_FILE)
    )


def test_endpoint_is_told_by_a_tokens_file_and_python_starts_from_before() -> None:
    settings = spark.list_settings("lake", endpoint=URL, token_file=TOKEN_FILE)
    prefix = "spark.executorEnv."
    assert settings[f"{prefix}AWS_CONTAINER_CREDENTIALS_FULL_URI"] == URL
    token_file = settings[f"{prefix}AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]
    assert token_file == TOKEN_FILE
    assert f"{prefix}AWS_CONTAINER_AUTHORIZATION_TOKEN" not in settings
    noted = json.loads(settings[f"{prefix}BOTOCORE_CONN_CHANGED_ENVIRONMENT"])
    assert {before for _, before in noted.values()} == {None}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"endpoint": "http://10.0.0.1:9911/", "token_file": "/t"}, "'endpoint'"),
        ({"endpoint": "https://127.0.0.1:9911/", "token_file": "/t"}, "'endpoint'"),
        ({"token_file": "/t"}, "'endpoint'"),
        ({"endpoint": URL}, "'token_file'"),
        ({"endpoint": URL, "token_file": "token"}, "'token_file'"),
    ],
)
def test_half_an_endpoint_is_refused(wrong: dict[str, str | None], said: str) -> None:
    with pytest.raises(ConnProviderError, match=said):
        spark.list_settings(
            "lake",
            endpoint=wrong.get("endpoint"),
            token_file=wrong.get("token_file"),
        )


def test_wrong_id_is_refused_before_anything_is_set() -> None:
    builder = Builder()
    with pytest.raises(InvalidConnectionError, match="is not the id"):
        spark.configure(builder, "aws://key:secret@/")
    assert builder._options == {}


def test_daemon_that_the_user_has_chosen_runs_after_ours() -> None:
    builder = Builder(spark__python__daemon__module="sentry_daemon")
    spark.configure(builder, "lake")
    assert builder["spark.python.daemon.module"] == spark.DAEMON
    assert builder["spark.executorEnv.BOTOCORE_CONN_SPARK_DAEMON"] == "sentry_daemon"


def test_provider_of_s3a_that_the_user_has_chosen_stays() -> None:
    builder = Builder(spark__hadoop__fs__s3a__aws__credentials__provider="theirs")
    spark.configure(builder, "lake")
    assert builder["spark.hadoop.fs.s3a.aws.credentials.provider"] == "theirs"


def test_configuring_twice_is_as_once() -> None:
    builder = spark.configure(Builder(), "lake")
    once = dict(builder._options)
    assert spark.configure(builder, "lake")._options == once


def test_driver_has_the_connection_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    spark.configure(Builder(), "lake")
    assert os.environ["BOTOCORE_CONN_ID"] == "lake"
    assert os.environ["PYTHONPATH"] == str(AUTOLOAD)


def test_executors_keep_their_own_path_where_python_starts_the_jvm() -> None:
    assert "spark.executorEnv.PYTHONPATH" not in spark.configure(Builder(), "lake")


@pytest.mark.parametrize("chosen", [{}, {"spark__executorEnv__PYTHONPATH": "/app"}])
def test_planning_processes_are_activated_where_the_jvm_was_there_first(
    chosen: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    monkeypatch.setenv("PYTHONPATH", "/app")
    builder = spark.configure(Builder(**chosen), "lake")
    path = builder["spark.executorEnv.PYTHONPATH"]
    assert path == os.pathsep.join([str(AUTOLOAD), "/app"])


@pytest.mark.parametrize("by", ["builder", "variable"])
def test_spark_connect_is_refused_because_its_server_would_not_obey(
    by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"spark__remote": "sc://host"} if by == "builder" else {}
    if by == "variable":
        monkeypatch.setenv("SPARK_REMOTE", "sc://host")
    with pytest.raises(ConnProviderError, match="spark-conf"):
        spark.configure(Builder(**options), "lake")


def test_text_that_is_not_here_cannot_be_sent() -> None:
    with pytest.raises(InvalidConnectionError, match="AIRFLOW_CONN_LAKE"):
        spark.send_connection(object(), "lake")


def run_command(*words: str) -> str:
    command = [sys.executable, "-m", "botocore_conn_provider", "spark-conf", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_command_prints_the_same_settings_for_spark_submit() -> None:
    words = shlex.split(
        run_command(
            "--conn-id",
            "lake",
            "--endpoint",
            URL,
            "--token-file",
            "/run/aws/token",
        )
    )
    assert words[::2] == ["--conf"] * (len(words) // 2)
    pairs = dict(each.split("=", 1) for each in words[1::2])
    assert pairs == spark.list_settings("lake", endpoint=URL, token_file=TOKEN_FILE)


def test_command_prints_the_same_settings_for_a_properties_file() -> None:
    lines = run_command("--conn-id", "lake", "--no-engines", "--format", "defaults")
    pairs = dict(line.split(" ", 1) for line in lines.splitlines())
    assert pairs == spark.list_settings("lake", engines=False)


def test_module_without_a_name_is_an_error_and_prints_nothing_that_spark_would_read(
    tmp_path: Path,
) -> None:
    environ = {name: os.environ[name] for name in os.environ if "BOTO" not in name}
    ended = subprocess.run(
        [sys.executable, "-m", spark.DAEMON],
        env=environ,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "BOTOCORE_CONN_ID is not set" in ended.stderr
