"""What tests and programs of others do around botocore works as with plain botocore.

Each case runs twice: with an installed connection that has a role, and with a profile
of botocore's own that has the same role.
"""

from __future__ import annotations

import functools
import json
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.child import Children, ForkingParent

KEY, SECRET = "AKIAEXAMPLEEXAMPLE", "x" * 40
ROLE = "arn:aws:iam::123456789012:role/reader"
# A deprecated field, so that there is a notice to log.
EXTRA = {"role_arn": ROLE, "session_kwargs": {"region_name": "us-east-1"}}
CONNECTION = {"conn_type": "aws", "login": KEY, "password": SECRET, "extra": EXTRA}
CONFIG = f"""
[profile base]
aws_access_key_id = {KEY}
aws_secret_access_key = {SECRET}
[profile reader]
role_arn = {ROLE}
source_profile = base
"""
PRELUDE = """
import datetime, logging, os, threading, time
def install():
    if "AIRFLOW_CONN_AWS_DEFAULT" in os.environ:
        import botocore_conn_provider
        botocore_conn_provider.install()
def mock():
    from moto import mock_aws
    return mock_aws(config={"core": {"mock_credentials": False}})
def use():
    import boto3
    session = boto3.Session()
    client = session.client("s3")
    client.create_bucket(Bucket="example")
    named = [each["Name"] for each in client.list_buckets()["Buckets"]]
    print(*named, session.get_credentials().method.removeprefix("conn-"))
"""


class Program:
    """Runs one program in both ways and returns what both have printed."""

    def __init__(
        self, run_python: Children, parent: ForkingParent, directory: Path
    ) -> None:
        self._run_python = functools.partial(run_python, parent=parent)
        config = directory / "config"
        config.write_text(CONFIG)
        common = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": str(config)}
        self._ways = (
            {**common, "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(CONNECTION)},
            {**common, "AWS_PROFILE": "reader"},
        )

    def __call__(self, program: str) -> list[str]:
        shown = []
        for environment in self._ways:
            ended = self._run_python(
                PRELUDE + textwrap.dedent(program), env=environment
            )
            assert ended.returncode == 0, ended.stderr
            shown.append(ended.stdout.splitlines())
        assert shown[0] == shown[1]
        return shown[0]


@pytest.fixture
def program(
    run_python: Children, forking_parent: ForkingParent, tmp_path: Path
) -> Program:
    return Program(run_python, forking_parent, tmp_path)


USED = "example assume-role"


def test_mock_of_aws_twice_in_one_process(program: Program) -> None:
    shown = program(
        """
        install()
        for _ in range(3):
            with mock():
                use()
        """
    )
    assert shown == [USED] * 3


@pytest.mark.parametrize("first", ["", "install()", "install(); import boto3"])
def test_frozen_time_in_either_order(program: Program, first: str) -> None:
    shown = program(
        f"""
        from freezegun import freeze_time
        {first}
        for date in ("2012-01-14", "2035-01-01", "2012-01-14"):
            with freeze_time(date), mock():
                install()
                use()
        with mock():
            use()
        """
    )
    assert shown == [USED] * 4


def test_time_that_is_frozen_after_credentials_were_had(program: Program) -> None:
    shown = program(
        """
        from freezegun import freeze_time
        install()
        with mock():
            use()
            with freeze_time("2035-01-01") as frozen:
                use()
                frozen.tick(datetime.timedelta(hours=2))
                use()
            use()
        """
    )
    assert shown == [USED] * 4


def test_stubber_answers_as_it_was_told(program: Program) -> None:
    shown = program(
        """
        install()
        import boto3
        from botocore.exceptions import ClientError
        from botocore.stub import Stubber
        client = boto3.client("s3")
        for _ in range(2):
            with Stubber(client) as stub:
                stub.add_response("list_buckets", {"Buckets": [{"Name": "stubbed"}]})
                print(client.list_buckets()["Buckets"])
                stub.add_client_error("list_buckets", "ExpiredToken")
                try:
                    client.list_buckets()
                except ClientError as error:
                    print(error.response["Error"]["Code"])
                stub.assert_no_pending_responses()
        """
    )
    assert shown == ["[{'Name': 'stubbed'}]", "ExpiredToken"] * 2


@pytest.mark.parametrize("kind", ["Filter", "Handler"])
def test_log_filter_or_handler_that_raises_for_our_records_stops_nothing(
    program: Program, kind: str
) -> None:
    shown = program(
        f"""
        def fail(self, record):
            if record.name.startswith("botocore_conn_provider"):
                raise RuntimeError(record.name)
            return True
        failing = type("Failing", (logging.{kind},), dict(filter=fail, emit=fail))()
        logging.basicConfig(level=logging.INFO, stream=open(os.devnull, "w"))
        root = logging.getLogger()
        if isinstance(failing, logging.Handler):
            root.addHandler(failing)
        else:
            root.handlers[0].addFilter(failing)
        install()
        with mock():
            use()
        """
    )
    assert shown == [USED]


SHIPPING = """
inside, go_on = threading.Event(), threading.Event()
class Shipping(logging.Handler):
    def emit(self, record):
        if record.name == "application":
            inside.set()
            go_on.wait(60)
            time.sleep(0.5)  # by now the other thread makes its client
            boto3.client("sts").get_caller_identity()
logging.getLogger().addHandler(Shipping())
logging.getLogger().setLevel(logging.INFO)
install()
import boto3
def log():
    logging.getLogger("application").warning("ship this")
def work():
    go_on.set()
    boto3.client("s3").list_buckets()
with mock():
    boto3.setup_default_session()
    logs, works = threading.Thread(target=log), threading.Thread(target=work)
    logs.start()
    inside.wait(60)
    began = time.monotonic()
    works.start()
    logs.join()
    works.join()
    print("at once" if time.monotonic() - began < 20 else "after a deadline")
"""


def test_log_handler_that_uses_aws_delays_no_credentials(program: Program) -> None:
    # It holds the handler's lock and waits for credentials; the thread that gets
    # them must not wait for that lock.
    assert program(SHIPPING) == ["at once"]
