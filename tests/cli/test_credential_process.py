"""Credentials for every program that speaks AWS's contract."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import sysconfig
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import botocore.session
import pytest

from botocore_conn_provider.cli import process_credentials as issuing
from botocore_conn_provider.cli.credential_process import write_document
from botocore_conn_provider.cli.main import main
from botocore_conn_provider.cli.process_credentials import IssuedKeys
from botocore_conn_provider.renewal.store.directory import LOCK
from botocore_conn_provider.secret import KeyId, Secret
from tests.aws import Fault, build_error
from tests.cli.conftest import CONNECTION, ROLE
from tests.forking_parent import Job

if TYPE_CHECKING:
    from tests.aws import Aws
    from tests.child import Children, Ended, ForkingParent
    from tests.leaks import Leaks, Secrets

SCRIPTS = Path(sysconfig.get_path("scripts"))
PROGRAM = SCRIPTS / "botocore-conn"
DEADLINE_SECONDS = 100


RUN = """
import runpy
runpy.run_module("botocore_conn_provider", run_name="__main__", alter_sys=True)
"""


class Process:
    """The command as a process of its own: what it writes is its purpose."""

    def __init__(
        self, parent: ForkingParent, aws: Aws, secrets: Secrets, store: Path
    ) -> None:
        self._parent = parent
        self.key_id = secrets.new_access_key_id()
        self.secret_key = secrets.new("secret key")
        self.store = store
        self.first = ""  # a program that runs before the command
        self.environment = {
            **os.environ,
            CONNECTION: self.write(aws),
            "BOTOCORE_CONN_STORE": str(store),
            "COVERAGE_PROCESS_START": os.environ.get("COVERAGE_PROCESS_START", ""),
        }

    def write(self, aws: Aws, **more: Any) -> str:
        extra = {
            "role_arn": ROLE,
            "region_name": "eu-west-1",
            "service_config": {"sts": {"endpoint_url": aws.url}},
            **more,
        }
        keys = {"login": self.key_id, "password": self.secret_key}
        return json.dumps({**keys, "extra": extra})

    def __call__(self, *words: str) -> Ended:
        arguments = ["credential-process", *words]
        code = self.first + RUN
        return self._parent.run(
            Job(code, arguments, self.environment, str(self.store.parent))
        )


@pytest.fixture
def process(
    forking_parent: ForkingParent, aws: Aws, secrets: Secrets, tmp_path: Path
) -> Process:
    store = tmp_path / "store"
    store.mkdir(mode=0o700)
    return Process(forking_parent, aws, secrets, store)


def test_document_is_the_contracts(process: Process, aws: Aws) -> None:
    ended = process()

    document = json.loads(ended.stdout)
    assert ended.stderr == ""
    assert ended.returncode == 0
    assert set(document) == {
        "Version",
        "AccessKeyId",
        "SecretAccessKey",
        "SessionToken",
        "Expiration",
        "AccountId",
    }
    assert document["Version"] == 1
    assert document["AccountId"] == "123456789012"
    assert document["Expiration"].endswith("Z")
    assert [request.access_key_id for request in aws.sts_requests] == [process.key_id]


def test_second_process_finds_the_first_ones_credentials(
    process: Process, aws: Aws
) -> None:
    assert process().stdout == process().stdout
    assert len(aws.sts_requests) == 1


def test_store_is_on_unless_somebody_says_off(process: Process, aws: Aws) -> None:
    # In the usual place: another test run's keys are others, and so are its entries.
    del process.environment["BOTOCORE_CONN_STORE"]
    process()
    process()
    assert len(aws.sts_requests) == 1

    process.environment["BOTOCORE_CONN_STORE"] = "off"
    process()
    assert len(aws.sts_requests) == 2


def test_warm_process_loads_no_client(process: Process, run_python: Children) -> None:
    process()
    code = """
        import io, sys
        from botocore_conn_provider.cli.main import main
        shown, sys.stdout = sys.stdout, io.StringIO()
        assert main(["credential-process"]) == 0
        sys.stdout = shown
        heavy = ("boto3", "botocore.client", "botocore.session", "urllib3", "rich")
        print([name for name in heavy if name in sys.modules])
    """
    assert run_python(code, env=process.environment).stdout == "[]\n"


def test_set_that_is_due_for_renewal_is_fetched_again(
    process: Process, aws: Aws
) -> None:
    aws.inject(Fault(expires_in_seconds=500))
    process.environment["BOTOCORE_CONN_ADVISORY_SECONDS"] = "600"
    first = process().stdout
    # The window is half the lifetime at most: let a later process see it older.
    process.environment["BOTOCORE_CONN_STORE"] = str(process.store)
    age_entries(process, by_seconds=300)

    assert json.loads(process().stdout) != json.loads(first)
    assert len(aws.sts_requests) == 2


def age_entries(process: Process, *, by_seconds: float) -> None:
    """Let the processes to come live later, by both clocks."""
    process.first = f"""
import time
wall, steady = time.time, time.clock_gettime
time.time = lambda: wall() + {by_seconds}
time.clock_gettime = lambda clock: steady(clock) + {by_seconds}
"""


def test_valid_set_is_served_when_its_renewal_fails(process: Process, aws: Aws) -> None:
    aws.inject(Fault(expires_in_seconds=500))
    first = process().stdout
    age_entries(process, by_seconds=300)
    aws.inject(Fault(403, build_error("AccessDenied")))

    assert process().stdout == first
    assert len(aws.sts_requests) == 2


def test_failure_without_a_store_is_told(process: Process, aws: Aws) -> None:
    process.environment["BOTOCORE_CONN_STORE"] = "off"
    aws.inject(Fault(403, build_error("AccessDenied")))

    ended = process()

    assert ended.returncode == 1


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (None, 4, "is not set"),
        ('{"extra": {"role_arn": ""}}', 3, "'role_arn' is empty"),
        ('{"extra": {"config_kwargs": {"x": 1}, "role_arn": "@"}}', 3, "config_kwargs"),
    ],
)
def test_failure_is_one_line(
    process: Process, text: str | None, code: int, said: str
) -> None:
    process.environment.pop(CONNECTION)
    if text is not None:
        process.environment[CONNECTION] = text.replace("@", ROLE)

    ended = process()

    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert said in ended.stderr
    assert ended.returncode == code


def test_refusal_is_one_line_without_secrets(
    process: Process, aws: Aws, leaks: Leaks
) -> None:
    aws.inject(Fault(403, build_error("AccessDenied", "no\nsecond line")))

    ended = process()

    assert (ended.stdout, ended.returncode) == ("", 1)
    assert ended.stderr.count("\n") == 1
    assert "AccessDenied" in ended.stderr
    leaks.check_text(ended.stderr)


def test_debug_log_shows_no_secret(process: Process, leaks: Leaks) -> None:
    ended = process("--debug")

    assert ended.returncode == 0
    assert "DEBUG" in ended.stderr
    leaks.check_text(ended.stderr)


def test_deadline_ends_the_process(process: Process, aws: Aws) -> None:
    release = threading.Event()
    aws.inject(Fault(until=release))
    ended = process("--deadline", "1.5")
    release.set()

    assert (ended.stdout, ended.returncode) == ("", 6)
    assert ended.stderr == (
        "botocore-conn: no credentials within 1.5 s."
        " `botocore-conn doctor` shows which step is slow.\n"
    )


def test_static_keys_have_no_expiry(process: Process, secrets: Secrets) -> None:
    token = secrets.new_session_token()
    extra = {"aws_session_token": token}
    keys = {"login": process.key_id, "password": process.secret_key}
    process.environment[CONNECTION] = json.dumps({**keys, "extra": extra})

    assert json.loads(process().stdout) == {
        "Version": 1,
        "AccessKeyId": process.key_id,
        "SecretAccessKey": process.secret_key,
        "SessionToken": token,
    }


def write_config(isolated: Path, text: str) -> None:
    (isolated / ".aws" / "config").write_text(text)


def test_profile_of_the_connection_is_read(process: Process, isolated: Path) -> None:
    process.environment[CONNECTION] = '{"extra": {"profile_name": "p"}}'
    write_config(
        isolated,
        f"[profile p]\naws_access_key_id = {process.key_id}\n"
        f"aws_secret_access_key = {process.secret_key}\n",
    )

    document = json.loads(process().stdout)

    assert document["AccessKeyId"] == process.key_id
    assert "Expiration" not in document


def asking_profile(conn_id: str, *, name: str) -> str:
    command = f"{sys.executable} -m botocore_conn_provider credential-process"
    return f"[profile {name}]\ncredential_process = {command} --conn-id {conn_id}\n"


def test_connection_that_asks_for_itself_is_an_error(
    process: Process, isolated: Path
) -> None:
    process.environment[CONNECTION] = '{"extra": {"profile_name": "circle"}}'
    write_config(isolated, asking_profile("aws_default", name="circle"))

    ended = process()

    assert (ended.stdout, ended.returncode) == ("", 1)
    assert "asks for this very connection" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_connections_may_build_on_each_other(process: Process, isolated: Path) -> None:
    process.environment["AIRFLOW_CONN_OUTER"] = '{"extra": {"profile_name": "inner"}}'
    write_config(isolated, asking_profile("aws_default", name="inner"))

    document = json.loads(process("--conn-id", "outer").stdout)

    assert document["AccessKeyId"].startswith("ASIA")


def test_botocores_process_provider_uses_it(
    process: Process,
    isolated: Path,
    aws: Aws,
    leaks: Leaks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in (CONNECTION, "BOTOCORE_CONN_STORE"):
        monkeypatch.setenv(name, process.environment[name])
    write_config(isolated, asking_profile("aws_default", name="data"))
    session = botocore.session.Session(profile="data")

    with leaks.user_calls():
        client: Any = session.create_client(
            "sts", region_name="eu-west-1", endpoint_url=aws.url
        )
        identity = client.get_caller_identity()

    assert identity["Arn"].endswith("assumed-role/analyst/airflow_aws_default")


def test_awscli_uses_it(
    process: Process, isolated: Path, aws: Aws, aws_cli: Path, leaks: Leaks
) -> None:
    write_config(isolated, asking_profile("aws_default", name="data"))
    words = ["sts", "get-caller-identity", "--profile", "data", "--output", "json"]

    ended = subprocess.run(
        [aws_cli, *words, "--region", "eu-west-1", "--endpoint-url", aws.url],
        env=process.environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["Arn"].endswith("role/analyst/airflow_aws_default")
    leaks.check_text(ended.stdout)


def test_document_leaves_out_what_is_not_there() -> None:
    text = write_document(IssuedKeys(KeyId("id"), Secret("key")))
    assert json.loads(text) == {
        "Version": 1,
        "AccessKeyId": "id",
        "SecretAccessKey": "key",
    }


def test_fault_of_ours_is_one_line_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise KeyError("SecretAccessKey")

    monkeypatch.setattr(issuing, "issue", fail)

    assert main(["credential-process"]) == 1

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "botocore-conn: unexpected KeyError; --debug shows where.\n"


def test_another_processs_renewal_is_waited_for_as_long_as_the_setting_says(
    process: Process,
) -> None:
    process.environment["BOTOCORE_CONN_STORE_LOCK_SECONDS"] = "0.1"
    with contextlib.ExitStack() as held:
        for number in range(256):
            path = process.store / f"{LOCK}{number:02x}"
            lock = held.enter_context(path.open("w"))
            path.chmod(0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
        before = time.monotonic()
        ended = process()
        took = time.monotonic() - before
    assert ended.returncode == 0
    assert took < 9  # the default is 10
