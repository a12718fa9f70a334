"""`exec` between others: its parent, its terminal, who reads its log, its program."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

from tests.child import DEADLINE_SECONDS, UNMEASURED
from tests.cli.test_exec import ROLE, SIGN, exec_
from tests.plugins import install_entry_points

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.cli.test_exec import Exec

__all__ = ["exec_"]

IGNORE_CHILDREN = """
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])
"""

PRINTING_PLUG_IN = """
from botocore_conn_provider.plugins import Secret
class Tokens:
    def __init__(self, request): pass
    def check(self): pass
    def fetch(self):
        print("Asking.")
        return Secret("header.payload.signature")
"""


def test_parent_that_ignores_its_children_gets_the_exit_status(exec_: Exec) -> None:
    words = exec_.command("sh", "-c", "exit 7")
    ended = subprocess.run(
        [sys.executable, "-c", IGNORE_CHILDREN, *words],
        env=exec_.environment,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert ended.returncode == 7


def test_terminal_that_goes_ends_the_program_of_a_sessions_first_process(
    exec_: Exec,
) -> None:
    """As that of `ssh -t host botocore-conn exec …` is."""
    words = exec_.command("sh", "-c", "echo runs; exec sleep 100")
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(words[0], words, exec_.environment)  # noqa: S606 - as a shell does
    seen = b""
    while b"runs" not in seen:
        seen += os.read(terminal, 4096)
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGHUP


def test_signal_that_the_program_sends_its_parent_does_not_come_back(
    exec_: Exec,
) -> None:
    code = """
        import os, signal, subprocess
        def tell(number, frame):
            print("back", signal.Signals(number).name, flush=True)
        signal.signal(signal.SIGUSR1, tell)
        signal.signal(signal.SIGUSR2, tell)
        os.kill(os.getppid(), signal.SIGUSR1)
        # Of somebody else, and therefore passed on, after the first.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
        subprocess.run(["sh", "-c", f"kill -USR2 {os.getppid()}"])
        signal.sigwait([signal.SIGUSR2])
    """
    ended = exec_.run(sys.executable, "-c", textwrap.dedent(code))
    assert (ended.stdout, ended.returncode) == ("", 0)


def test_endpoint_outlives_the_reader_of_its_log(exec_: Exec) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as log:
        ended = subprocess.run(
            exec_.command(sys.executable, "-c", SIGN, options=("--log-asks",)),
            env=exec_.environment,
            stderr=log,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
    assert ended.returncode == 0
    assert len(exec_.signers) == 1


def test_what_a_plug_in_prints_is_not_in_the_programs_output(
    exec_: Exec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chatty.py").write_text(PRINTING_PLUG_IN)
    points = {"botocore_conn_provider.token_sources": {"chatty": "chatty:Tokens"}}
    install_entry_points(tmp_path, monkeypatch, points)
    exec_.connect(
        with_keys=False,
        role_arn=ROLE,
        assume_role_method="assume_role_with_web_identity",
        assume_role_with_web_identity_federation="chatty",
    )
    ended = exec_.run("echo", "its own", env={"PYTHONPATH": str(tmp_path)})
    assert (ended.stdout, ended.returncode) == ("its own\n", 0), ended.stderr
    assert "Asking." in ended.stderr


def test_signal_of_the_program_is_told_where_standard_output_is_closed(
    exec_: Exec,
) -> None:
    words = exec_.command("sh", "-c", "kill -TERM $$")
    ended = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&- 2>&-', "sh", *words],
        env=exec_.environment,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert ended.returncode == -signal.SIGTERM


def test_endpoint_that_cannot_be_opened_is_told_in_one_line(exec_: Exec) -> None:
    """No file can be written, as in a container whose disk is full or read-only."""
    words = exec_.command("echo", "started")
    ended = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *words],
        env={k: v for k, v in exec_.environment.items() if k not in UNMEASURED},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert (ended.stdout, ended.returncode) == ("", 1)
    assert ended.stderr.count("\n") == 1
    assert "TMPDIR" in ended.stderr


def test_script_that_names_no_interpreter_is_the_shells(
    exec_: Exec, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text('echo "$1"; exit 5\n')
    script.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    for name in (str(script), "script"):
        ended = exec_.run(name, "a b", env={"PATH": path})
        assert (ended.stdout, ended.returncode) == ("a b\n", 5), ended.stderr


def test_empty_name_is_called_wrongly(exec_: Exec) -> None:
    ended = exec_.run("")
    assert (ended.stderr.count("\n"), ended.returncode) == (1, 2)


def test_region_of_the_profile_stays(exec_: Exec, isolated: Path) -> None:
    (isolated / ".aws" / "config").write_text("[profile p]\nregion = eu-north-1\n")
    (isolated / ".aws" / "credentials").write_text(
        f"[p]\naws_access_key_id = {exec_.key_id}\naws_secret_access_key = abc\n"
    )
    exec_.connect(with_keys=False, profile_name="p", region_name=None)
    seen = exec_.show_environment()
    assert (seen["AWS_REGION"], seen["AWS_DEFAULT_REGION"]) == ("eu-north-1",) * 2
