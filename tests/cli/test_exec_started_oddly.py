"""`exec` that was started in odd ways, or beside somebody who interferes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from tests.child import DEADLINE_SECONDS
from tests.cli.test_exec import SIGN, exec_

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.test_exec import Exec

__all__ = ["exec_"]


class TestStartedInOddWays:
    """However `exec` itself was started, the program is as if started so."""

    @pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
    @pytest.mark.parametrize("ends", ["exit 3", "kill -TERM $$"])
    def test_without_standard_files(self, exec_: Exec, closed: str, ends: str) -> None:
        words = exec_.command("sh", "-c", ends, options=("--log-asks",))
        shell = subprocess.run(
            ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *words],
            env=exec_.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        assert shell.stderr == ""
        assert shell.returncode == (3 if ends == "exit 3" else -signal.SIGTERM)

    @pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full"])
    def test_asks_that_cannot_be_logged_are_answered(
        self, exec_: Exec, closed: str
    ) -> None:
        words = exec_.command(sys.executable, "-c", SIGN, options=("--log-asks",))
        for _ in range(2):
            subprocess.run(
                ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *words],
                env=exec_.environment,
                timeout=DEADLINE_SECONDS,
                check=True,
            )
        assert len(exec_.signers) == 2

    def test_with_an_alarm_set(self, exec_: Exec) -> None:
        """`perl -e 'alarm 5; exec @ARGV'` is how some limit a program's time."""
        ended = exec_.run(
            "sleep", "60", preexec_fn=lambda: signal.setitimer(signal.ITIMER_REAL, 3)
        )
        assert ended.returncode == -signal.SIGALRM

    def test_arguments_and_variables_need_not_be_text(self, exec_: Exec) -> None:
        odd = os.fsdecode(b"\xff\xfe")
        ended = exec_.run(
            *("sh", "-c", 'printf "%s%s" "$1" "$ODD" | od -An -tx1', "sh", odd),
            env={"ODD": odd, f"X{odd}": odd},
        )
        assert ended.stdout.split() == ["ff", "fe", "ff", "fe"]

    def test_arguments_that_are_too_long_are_told(self, exec_: Exec) -> None:
        code = (
            "import sys; from botocore_conn_provider.cli.main import main;"
            "sys.argv[1:] = ['exec', '--', 'true', 'x' * 200_000]; sys.exit(main())"
        )
        ended = subprocess.run(
            [sys.executable, "-c", code],
            env=exec_.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        assert ended.returncode == 126
        assert "Argument list too long" in ended.stderr

    def test_in_a_directory_that_is_gone(self, exec_: Exec, tmp_path: Path) -> None:
        gone = tmp_path / "gone"
        gone.mkdir()
        # -I: Python 3.13.0 fails where it looks for modules in such a directory.
        words = exec_.command(sys.executable, "-I", "-c", SIGN)
        subprocess.run(
            ["/bin/sh", "-c", 'rmdir "$PWD"; exec "$@"', "sh", *words],
            env=exec_.environment,
            cwd=gone,
            timeout=DEADLINE_SECONDS,
            check=True,
        )
        assert len(exec_.signers) == 1

    def test_with_a_relative_directory_for_temporary_files(
        self, exec_: Exec, tmp_path: Path
    ) -> None:
        (tmp_path / "tmp").mkdir()
        code = f"import os; os.chdir('/')\n{SIGN}"
        ended = exec_.run(
            sys.executable, "-c", code, env={"TMPDIR": "tmp"}, cwd=tmp_path
        )
        assert ended.returncode == 0, ended.stderr


def test_program_that_another_stops_and_continues_is_served_on(exec_: Exec) -> None:
    """As `cpulimit` does: it knows the program only, and not `exec`."""
    process = exec_.start(
        f"""
        import os, subprocess, sys
        print("runs", flush=True)
        throttle = "kill -STOP $0; sleep 0.3; kill -CONT $0"
        throttled = subprocess.Popen(["sh", "-c", throttle, str(os.getpid())])
        throttled.wait()
        exec({SIGN!r})
        """
    )
    try:
        assert process.wait(DEADLINE_SECONDS) == 0
    finally:
        process.kill()
        process.communicate()
    assert len(exec_.signers) == 1


def test_thread_that_is_ending_does_not_swallow_the_programs_end() -> None:
    code = """
        import os, sys, threading, time
        from botocore_conn_provider import fork
        from botocore_conn_provider.cli import running
        thread = threading.Thread(target=time.sleep, args=(0.5,), daemon=True)
        assert fork.could_start(thread)
        spawn = os.posix_spawnp
        def spawn_and_dally(*args, **options):
            pid = spawn(*args, **options)
            time.sleep(0.2)
            return pid
        os.posix_spawnp = spawn_and_dally
        with running.hold_signals() as mask:
            sys.exit(running.run_program(["sh", "-c", "exit 3"], os.environ, mask))
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert ended.returncode == 3
