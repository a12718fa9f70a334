"""`rehearse`: what dies is found and named, what renews is clean, the job is its own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from tests.leaks import Leaks
    from tests.rehearsal.stage import Stage

KEEPS = """
    frozen = session.get_credentials().get_frozen_credentials()
    outlive(frozen)
    list_with(name_keys(frozen))
"""
RENEWS = """
    import threading
    clients = [session.client("s3", **OPTIONS), boto3.client("s3", **OPTIONS)]
    made = []
    def work(client, count, seconds):
        ends = time.monotonic() + seconds
        while len(made) < count or time.monotonic() < ends:
            client.list_buckets()
            made.append(1)
    threads = [threading.Thread(target=work, args=(each, 1000, 5)) for each in clients]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    child = os.fork()
    if child == 0:
        made.clear()
        work(clients[0], 50, 3)
        os._exit(0)
    os.waitpid(child, 0)
    print(len(made) >= 1000)
"""
SERVICES = {
    "s3 list_buckets": "ExpiredToken",
    "sts get_caller_identity": "ExpiredToken",
    "sns list_topics": "ExpiredToken",
    "ec2 describe_instances": "RequestExpired",
    "route53 list_hosted_zones": "ExpiredToken",
    "lambda list_functions": "ExpiredTokenException",
    "dynamodb list_tables": "ExpiredTokenException",
    "kinesis list_streams": "ExpiredTokenException",
}
# Their protocol, and so the code, is another in the oldest botocore.
CHANGED = ("cloudwatch list_metrics", "sqs list_queues")
ASKS_SERVICES = """
    frozen = session.get_credentials().get_frozen_credentials()
    outlive(frozen)
    for each in sys.argv[1:]:
        service, operation = each.split()
        client = boto3.client(service, **OPTIONS, **name_keys(frozen))
        try:
            getattr(client, operation)()
        except client.exceptions.ClientError as error:
            print(each, error.response["Error"]["Code"])
    from botocore.config import Config
    s3 = {**OPTIONS, **name_keys(frozen)}
    for client, call in (
        (boto3.client("s3", **s3), "head_bucket"),
        (boto3.client("s3", config=Config(signature_version="s3-query"), **s3), "list_objects"),
        (boto3.client("s3", config=Config(signature_version="s3"), **s3), "list_objects"),
        (boto3.client("s3", config=Config(signature_version="s3v4-query"), **s3), "list_objects"),
    ):
        try:
            getattr(client, call)(Bucket="bucket")
        except client.exceptions.ClientError as error:
            print(call, error.response["Error"]["Code"])
"""


def test_code_that_froze_keys_is_found_by_name(stage: Stage) -> None:
    ended = stage.rehearse(KEEPS)
    assert ended.returncode == 1, ended.stderr
    assert ended.stdout == "ExpiredToken\n"
    (user,) = ended.users
    assert user.startswith("job.py:")
    assert "(list_with)" in user
    (taker,) = ended.takers
    assert taker.startswith("job.py:")
    assert "(<module>)" in taker
    assert f"taken out by {taker}" in ended.stderr


def test_dead_keys_never_reach_aws(stage: Stage) -> None:
    assert stage.rehearse(KEEPS).returncode == 1
    assert [each for each in stage.aws.requests if not each.is_sts] == []


def test_clients_of_boto3_are_clean_and_sts_is_asked_once_for_each_set(
    stage: Stage,
) -> None:
    ended = stage.rehearse(RENEWS)
    assert ended.stdout == "True\n"
    assert ended.returncode == 0, ended.stderr
    assert ended.report["dead_uses"] == ended.report["kept"] == []
    assert stage.exchanges == len(ended.report["sets"]) > 2
    assert "RESULT: no request that was seen used dead keys." in ended.stderr


def test_each_protocol_has_the_answer_of_aws(stage: Stage) -> None:
    job = stage.write(ASKS_SERVICES)
    ended = stage.run(sys.executable, job, *CHANGED, *SERVICES)
    expected = [
        *(f"{call} {code}" for call, code in SERVICES.items()),
        "head_bucket 400",
        *["list_objects ExpiredToken"] * 3,
    ]
    changed, others = (said := ended.stdout.splitlines())[:2], said[2:]
    assert others == expected, ended.stderr
    codes = [each.removesuffix("Exception") for each in changed]
    assert codes == [f"{each} ExpiredToken" for each in CHANGED]


def test_keys_exported_to_a_child_are_found(stage: Stage) -> None:
    ended = stage.rehearse(
        """
        import subprocess
        frozen = session.get_credentials().get_frozen_credentials()
        os.environ["KEPT"] = " ".join(frozen[:3])
        outlive(frozen)
        subprocess.run([sys.executable, "-c", '''if True:
            import boto3, os
            from botocore.exceptions import ClientError
            names = "aws_access_key_id", "aws_secret_access_key", "aws_session_token"
            keys = dict(zip(names, os.environ["KEPT"].split()))
            try:
                boto3.client("sts", "eu-west-1", **keys).get_caller_identity()
            except ClientError as error:
                print(error.response["Error"]["Code"])
        '''])
        """
    )
    assert ended.stdout == "ExpiredToken\n", ended.stderr
    assert ended.returncode == 1
    assert [each.partition(":")[0] for each in ended.users] == ["<string>"]
    assert [each.partition(":")[0] for each in ended.takers] == ["job.py"]


def test_who_keeps_keys_for_something_unseen_is_named_and_no_failure(
    stage: Stage,
) -> None:
    ended = stage.rehearse(
        """
        frozen = session.get_credentials().get_frozen_credentials()
        outlive(frozen)
        """
    )
    assert ended.returncode == 0, ended.stderr
    (kept,) = ended.report["kept"]
    assert kept["by"].startswith("job.py:")
    assert "NOT ASKED AGAIN" in ended.stderr
    assert "is not seen" in ended.stderr


def test_reading_each_time_is_clean(stage: Stage) -> None:
    ended = stage.rehearse(
        """
        credentials = session.get_credentials()
        ends = time.monotonic() + 5
        while time.monotonic() < ends:
            keys = dict(
                aws_access_key_id=credentials.access_key,
                aws_secret_access_key=credentials.secret_key,
                aws_session_token=credentials.token,
            )
            frozen = credentials.get_frozen_credentials()
            boto3.client("s3", **OPTIONS, **name_keys(frozen)).list_buckets()
        """
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.report["kept"] == []
    assert any(each.startswith("job.py:") for each in ended.report["readers"])


def test_signing_a_url_takes_no_keys_out(stage: Stage) -> None:
    ended = stage.rehearse(
        """
        where = {"Bucket": "b", "Key": "k"}
        client = session.client("s3", **OPTIONS)
        client.generate_presigned_url("get_object", Params=where, ExpiresIn=1)
        """
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.report["sets"]
    assert ended.report["readers"] == ended.report["kept"] == []


@pytest.mark.parametrize(
    ("end", "status"),
    [("sys.exit(3)", 3), ("os._exit(4)", 4), ("os.kill(os.getpid(), 9)", -9)],
)
def test_job_has_its_own_end_and_is_reported(
    stage: Stage, end: str, status: int
) -> None:
    ended = stage.rehearse(f"{KEEPS}    sys.stdout.flush()\n    {end}\n")
    assert ended.returncode == status, ended.stderr
    assert ended.stdout == "ExpiredToken\n"
    assert len(ended.users) == 1
    assert stage.notes == []


def test_notes_are_private_and_hold_no_key(stage: Stage, leaks: Leaks) -> None:
    ended = stage.rehearse(
        KEEPS
        + """
    from pathlib import Path
    notes = Path(os.environ["BOTOCORE_CONN_REHEARSE_DIRECTORY"])
    files = list(notes.iterdir())
    print([oct(each.stat().st_mode & 0o777) for each in (notes, *files)])
    texts = [each.read_text() for each in files]
    print([word in text for text in texts for word in frozen[:3]])
    """
    )
    _, modes, found = ended.stdout.splitlines()
    assert modes == "['0o700', '0o600']"
    assert found == "[False, False, False]"
    assert stage.notes == []
    leaks.check_text(ended.stderr, place="standard error")


def test_connection_without_an_exchange_has_nothing_to_rehearse(stage: Stage) -> None:
    stage.connect()
    ended = stage.rehearse("session.client('s3', **OPTIONS).list_buckets()\n")
    assert ended.returncode == 0
    assert "there is nothing to rehearse" in ended.stderr
    assert "RESULT: nothing was rehearsed." in ended.stderr
    assert ended.report["rehearsed"] is False
    assert ended.report["clean"] is False


def test_job_that_ends_before_its_credentials_is_neither_clean_nor_passed(
    stage: Stage,
) -> None:
    job = "session.client('s3', **OPTIONS).list_buckets()\n"
    ended = stage.rehearse(job, "--junit", "rehearsal.xml", every="1h")
    assert ended.returncode == 0, ended.stderr
    assert "the job ended before a set of its credentials did" in ended.stderr
    assert "RESULT: nothing was rehearsed." in ended.stderr
    assert (ended.report["rehearsed"], ended.report["clean"]) == (False, False)
    suite = ET.fromstring((stage.place / "rehearsal.xml").read_text())  # noqa: S314 - ours
    assert suite.get("skipped") == suite.get("tests") == "1"
    (case,) = suite
    assert case.find("skipped") is not None


def test_disabled_connection_is_said_to_be_so(stage: Stage) -> None:
    stage.environment["BOTOCORE_CONN_DISABLE"] = "1"
    ended = stage.run(sys.executable, "-c", "print(1)")
    assert (ended.stdout, ended.returncode) == ("1\n", 0)
    assert "BOTOCORE_CONN_DISABLE is set" in ended.stderr
    assert "RESULT: nothing was rehearsed." in ended.stderr


def test_set_of_a_store_is_neither_used_nor_left_there(stage: Stage) -> None:
    stage.environment["BOTOCORE_CONN_STORE"] = str(stage.place / "store")
    command = ["botocore_conn_provider", "credential-process"]
    stage.run_plainly("-m", *command)
    before = stage.list_store()
    assert stage.exchanges == 1
    ended = stage.rehearse(KEEPS)
    assert ended.returncode == 1, ended.stderr
    assert stage.exchanges == 2
    assert stage.list_store() == before


def test_two_connections_are_told_apart(stage: Stage) -> None:
    stage.connect("other", role_arn="arn:aws:iam::123456789012:role/other")
    ended = stage.rehearse(
        """
        import botocore_conn_provider
        other = botocore_conn_provider.session("other")
        frozen = other.get_credentials().get_frozen_credentials()
        outlive(frozen)
        session.client("s3", **OPTIONS).list_buckets()
        list_with(name_keys(frozen))
        """
    )
    assert ended.returncode == 1, ended.stderr
    (use,) = ended.report["dead_uses"]
    assert use["used"]["conn_id"] == "other"
    issued = {each["conn_id"] for each in ended.report["sets"]}
    assert issued == {"aws_default", "other"}


def test_failed_renewal_is_told(stage: Stage) -> None:
    stage.environment["AIRFLOW_CONN_AWS_DEFAULT"] = stage.environment[
        "AIRFLOW_CONN_AWS_DEFAULT"
    ].replace(stage.aws.url, "http://127.0.0.1:1")
    ended = stage.rehearse(
        """
        try:
            session.get_credentials().get_frozen_credentials()
        except Exception as error:
            print(type(error).__name__)
        """,
        env={"BOTOCORE_CONN_SIGN_IN_DEADLINE_SECONDS": "2"},
    )
    assert ended.stdout == "StsExchangeError\n", ended.stderr
    assert "RENEWALS THAT FAILED" in ended.stderr
    assert [each["conn_id"] for each in ended.report["failures"]] == ["aws_default"]


def test_junit_has_a_failed_case_for_who_took_the_keys(stage: Stage) -> None:
    ended = stage.rehearse(KEEPS, "--junit", "rehearsal.xml")
    suite = ET.fromstring((stage.place / "rehearsal.xml").read_text())  # noqa: S314 - ours
    failed = [each.get("name") for each in suite if each.find("failure") is not None]
    assert set(failed) == ended.takers
    assert suite.get("failures") == "1"


def test_junit_is_well_formed_whatever_files_are_called(stage: Stage) -> None:
    ended = stage.rehearse(
        """
        kept = "frozen = session.get_credentials().get_frozen_credentials()"
        exec(compile(kept, "odd\\x1b\\udcff<name>.py", "exec"))
        outlive(frozen)
        list_with(name_keys(frozen))
        """,
        "--junit",
        "rehearsal.xml",
    )
    assert ended.returncode == 1, ended.stderr
    assert any("\x1b\udcff" in each for each in ended.takers)
    suite = ET.fromstring((stage.place / "rehearsal.xml").read_bytes())  # noqa: S314 - ours
    names = [each.get("name", "") for each in suite]
    assert any("odd\\x1b\\udcff<name>.py" in each for each in names), names


@pytest.mark.parametrize("option", ["--json", "--junit"])
@pytest.mark.parametrize("place", ["absent/report", "."])
def test_report_that_cannot_be_written_is_refused_before_the_job(
    stage: Stage, option: str, place: str
) -> None:
    ended = stage.rehearse("print(1)", option, place, reports=False)
    assert (ended.stdout, ended.returncode) == ("", 2), ended.stderr
    assert f"the file of {option} cannot be written" in ended.stderr


def test_report_that_can_no_longer_be_written_fails_a_job_that_ended_well(
    stage: Stage,
) -> None:
    ended = stage.rehearse("os.mkdir('rehearsal.xml')", "--junit", "rehearsal.xml")
    assert ended.returncode == 1
    assert "the file of --junit cannot be written" in ended.stderr
    assert ended.report["form"] == 1


def test_absent_connection_runs_no_job(stage: Stage) -> None:
    del stage.environment["AIRFLOW_CONN_AWS_DEFAULT"]
    ended = stage.run(sys.executable, "-c", "print(1)")
    assert (ended.stdout, ended.returncode) == ("", 4)


def test_job_that_cannot_be_run_is_said(stage: Stage) -> None:
    ended = stage.run("/nowhere/job")
    assert ended.returncode == 127
    assert "cannot be run" in ended.stderr


def test_wrong_duration_is_refused(stage: Stage) -> None:
    ended = stage.run(sys.executable, options=("--every", "1d"))
    assert ended.returncode == 2
    assert "2s to 1h" in ended.stderr
