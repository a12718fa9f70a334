"""`install(rehearse=…)` and the variables: a program rehearses itself, and its children."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.rehearsal.stage import Stage

INSTALLS = """
import botocore_conn_provider
botocore_conn_provider.install(rehearse=2)
"""
KEEPS = """
frozen = boto3.Session().get_credentials().get_frozen_credentials()
outlive(frozen)
list_with(name_keys(frozen))
"""


def test_program_reports_at_its_end(stage: Stage) -> None:
    ended = stage.run_alone(INSTALLS + KEEPS)
    assert ended.stdout == "ExpiredToken\n", ended.stderr
    assert ended.returncode == 0
    assert "USED DEAD KEYS" in ended.stderr
    assert "(list_with) used the keys" in ended.stderr
    assert stage.notes == []


def test_forked_child_does_not_report(stage: Stage) -> None:
    code = "child = os.fork()\nif child:\n    os.waitpid(child, 0)\n"
    ended = stage.run_alone(INSTALLS + code)
    assert ended.stderr.count("RESULT:") == 1


def test_disabled_connection_is_not_rehearsed(stage: Stage) -> None:
    stage.environment["BOTOCORE_CONN_DISABLE"] = "1"
    ended = stage.run_alone(f"{INSTALLS}print(1)\n")
    assert (ended.stdout, ended.stderr, ended.returncode) == ("1\n", "", 0)


@pytest.mark.parametrize("said", ["0", "1", "7200", "'soon'", "True"])
def test_wrong_duration_is_refused_by_name(stage: Stage, said: str) -> None:
    ended = stage.run_alone(INSTALLS.replace("rehearse=2", f"rehearse={said}"))
    assert ended.returncode == 1
    assert "install(rehearse=…) asks for a rehearsal and is no duration" in ended.stderr


def test_uninstalling_leaves_what_was_given_short_lives_under_watch(
    stage: Stage,
) -> None:
    ended = stage.rehearse(
        """
        import botocore_conn_provider
        frozen = session.get_credentials().get_frozen_credentials()
        botocore_conn_provider.uninstall()
        outlive(frozen)
        list_with(name_keys(frozen))
        """
    )
    assert ended.stdout == "ExpiredToken\n", ended.stderr


def test_command_of_the_job_hands_out_short_lives(stage: Stage) -> None:
    ended = stage.rehearse(
        """
        import json, subprocess
        command = [sys.executable, "-m", "botocore_conn_provider", "credential-process"]
        said = json.loads(subprocess.run(command, capture_output=True).stdout)
        outlive(None)
        keys = dict(
            aws_access_key_id=said["AccessKeyId"],
            aws_secret_access_key=said["SecretAccessKey"],
            aws_session_token=said["SessionToken"],
        )
        list_with(keys)
        """
    )
    assert ended.stdout == "ExpiredToken\n", ended.stderr
    assert ended.returncode == 1
    programs = {each["program"] for each in ended.report["sets"]}
    assert programs == {"__main__.py"}


def test_process_that_rehearses_by_a_variable_alone_says_so_at_its_start(
    stage: Stage,
) -> None:
    """One left over in an image: a server never comes to its end, and its report."""
    stage.environment["BOTOCORE_CONN_REHEARSE_SECONDS"] = "60"
    install = "import botocore_conn_provider\nbotocore_conn_provider.install()\n"
    ended = stage.run_alone(f"{install}sys.stderr.flush()\nos._exit(0)\n")
    assert "BOTOCORE_CONN_REHEARSE_SECONDS" in ended.stderr
    assert "60 s" in ended.stderr


def test_directory_that_no_rehearsal_made_is_left_alone(stage: Stage) -> None:
    private = stage.place / "private"
    private.mkdir(mode=0o700)
    (private / "other.jsonl").write_text("[]\n")
    stage.environment["BOTOCORE_CONN_REHEARSE_SECONDS"] = "2"
    stage.environment["BOTOCORE_CONN_REHEARSE_DIRECTORY"] = str(private)
    install = "import botocore_conn_provider\nbotocore_conn_provider.install()\n"
    ended = stage.run_alone(install + KEEPS)
    assert ended.stdout == "ExpiredToken\n", ended.stderr
    assert "RESULT: 1 request used dead keys" in ended.stderr
    assert [each.name for each in private.iterdir()] == ["other.jsonl"]
