"""`exec`: a real program, its environment, its signals and its end."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws import Fault, build_error
from tests.child import DEADLINE_SECONDS, Ended

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets
    from tests.ways import MetadataServer

ROLE = "arn:aws:iam::123456789012:role/reader"
SIGN = """
import boto3, os
boto3.client("s3", endpoint_url=os.environ["TEST_AWS"],
             region_name="eu-west-1").list_buckets()
"""
SHOW = "import json, os; print(json.dumps(dict(os.environ)))"


class Exec:
    """Runs `botocore-conn exec` with a connection."""

    def __init__(self, aws: Aws, secrets: Secrets, leaks: Leaks, store: Path) -> None:
        self.aws = aws
        self.leaks = leaks
        self.key_id = secrets.new_access_key_id()
        self._secret = secrets.new("secret key of the connection")
        self.environment = {
            **os.environ,
            "TEST_AWS": aws.url,
            "BOTOCORE_CONN_STORE": str(store),
        }
        self.connect(role_arn=ROLE)

    def connect(self, *, with_keys: bool = True, **extra: Any) -> None:
        """Have another connection in the environment."""
        keys = {"login": self.key_id, "password": self._secret} if with_keys else {}
        given = {
            "region_name": "eu-west-1",
            "service_config": {"sts": {"endpoint_url": self.aws.url}},
            **extra,
        }
        self.environment["AIRFLOW_CONN_AWS_DEFAULT"] = json.dumps(
            {"conn_type": "aws", **keys, "extra": given}
        )

    def command(self, *program: str, options: tuple[str, ...] = ()) -> list[str]:
        """Return the words of the command line."""
        ours = [sys.executable, "-m", "botocore_conn_provider", "exec"]
        return [*ours, *options, "--", *program]

    def run(
        self,
        *program: str,
        options: tuple[str, ...] = (),
        env: Mapping[str, str] | None = None,
        shows_secrets: bool = False,
        **more: Any,
    ) -> Ended:
        """Run it to its end."""
        ended = subprocess.run(
            self.command(*program, options=options),
            env={**self.environment, **(env or {})},
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
            **more,
        )
        if not shows_secrets:
            self.leaks.check_text(ended.stdout, place="standard output")
        self.leaks.check_text(ended.stderr, place="standard error")
        return Ended(ended.stdout, ended.stderr, ended.returncode)

    def show_environment(self, **more: Any) -> dict[str, str]:
        """Return the environment that a program gets."""
        ended = self.run(sys.executable, "-c", SHOW, shows_secrets=True, **more)
        assert ended.returncode == 0, ended.stderr
        environ: dict[str, str] = json.loads(ended.stdout)
        return environ

    def start(self, code: str, **more: Any) -> subprocess.Popen[str]:
        """Start a program in Python, and return when it has said that it runs."""
        process = subprocess.Popen(
            self.command(sys.executable, "-c", textwrap.dedent(code)),
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            **more,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "runs\n"
        return process

    @property
    def signers(self) -> list[str | None]:
        """The keys that requests to S3 were signed with."""
        return [each.access_key_id for each in self.aws.requests if not each.is_sts]


@pytest.fixture
def exec_(aws: Aws, secrets: Secrets, leaks: Leaks, tmp_path: Path) -> Exec:
    return Exec(aws, secrets, leaks, tmp_path / "store")


def test_program_signs_as_the_connection(exec_: Exec) -> None:
    ended = exec_.run(sys.executable, "-c", SIGN)
    assert ended == Ended("", "", 0)
    (signer,) = exec_.signers
    assert str(signer).startswith("ASIA")
    assert len(exec_.aws.sts_requests) == 1


def test_second_program_finds_the_credentials_in_the_store(exec_: Exec) -> None:
    for _ in range(2):
        assert exec_.run(sys.executable, "-c", SIGN).returncode == 0
    assert len(exec_.aws.sts_requests) == 1


def test_warm_start_loads_no_session_of_botocores(exec_: Exec) -> None:
    exec_.run("true")
    code = """
        import sys
        from botocore_conn_provider.cli import running
        def run_program(*_):
            heavy = sorted(n for n in sys.modules if n in ("botocore.session", "boto3"))
            print(heavy, file=sys.__stdout__)
            return 0
        running.run_program = run_program
        from botocore_conn_provider.cli.main import main
        sys.exit(main(["exec", "--", "true"]))
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=exec_.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "[]\n"


def test_nothing_that_names_another_identity_reaches_the_program(exec_: Exec) -> None:
    env = {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_PROFILE": "other",
        "AWS_ROLE_ARN": "arn:aws:iam::1:role/x",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x",
        "AWS_BEARER_TOKEN_BEDROCK": "x",
        "HTTPS_PROXY": "http://proxy.example:1",
        "KEPT": "1",
    }
    seen = exec_.show_environment(env=env)
    left = {name for name in seen if name.startswith("AWS_")}
    assert left == {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_CREDENTIAL_PROFILES_FILE",
    }
    assert seen["KEPT"] == "1"
    assert "127.0.0.1" in seen["NO_PROXY"]


def test_files_of_aws_stay_if_the_user_says_so(exec_: Exec) -> None:
    options = ("--keep-aws-files",)
    seen = exec_.show_environment(options=options, env={"AWS_CONFIG_FILE": "/mine"})
    assert seen["AWS_CONFIG_FILE"] == "/mine"


def test_program_with_the_connection_too_is_that_connection(
    exec_: Exec, metadata_server: MetadataServer
) -> None:
    """It looks behind our endpoint for what its role starts from."""
    exec_.connect(with_keys=False, role_arn=ROLE)
    code = "import botocore_conn_provider as b; b.install()" + SIGN
    env = metadata_server.environment()
    ended = exec_.run(sys.executable, "-c", code, env=env)
    assert ended.returncode == 0, ended.stderr
    asked = {each.access_key_id for each in exec_.aws.sts_requests}
    assert asked == {metadata_server.access_key_id}


def test_keys_without_a_session_token_stand_in_variables(exec_: Exec) -> None:
    exec_.connect()
    ended = exec_.run(sys.executable, "-c", SIGN)
    assert ended.returncode == 0
    assert exec_.signers == [exec_.key_id]


class TestRefused:
    """The program never starts."""

    @pytest.fixture
    def marker(self, tmp_path: Path) -> Path:
        return tmp_path / "started"

    def test_by_sts(self, exec_: Exec, marker: Path) -> None:
        exec_.aws.inject(Fault(403, build_error("AccessDenied")), times=9)
        ended = exec_.run("touch", str(marker))
        assert ended.returncode == 1
        assert "AccessDenied" in ended.stderr
        assert not marker.exists()

    def test_for_a_connection_that_is_wrong(self, exec_: Exec, marker: Path) -> None:
        exec_.environment["AIRFLOW_CONN_AWS_DEFAULT"] = "nonsense"
        assert exec_.run("touch", str(marker)).returncode == 3
        assert not marker.exists()

    def test_for_one_that_is_absent(self, exec_: Exec, marker: Path) -> None:
        ended = exec_.run("touch", str(marker), options=("--conn-id", "other"))
        assert ended.returncode == 4
        assert not marker.exists()

    @pytest.mark.parametrize(
        ("program", "status"), [("/nowhere/to/be/found", 127), ("/etc/passwd", 126)]
    )
    def test_where_it_cannot_be_run(
        self, exec_: Exec, program: str, status: int
    ) -> None:
        ended = exec_.run(program)
        assert ended.returncode == status
        assert ended.stderr.startswith("botocore-conn: the program cannot be run")

    def test_without_a_command(self, exec_: Exec) -> None:
        assert exec_.run().returncode == 2


@pytest.mark.parametrize("status", [0, 1, 3, 42, 255])
def test_exit_status_is_the_programs(exec_: Exec, status: int) -> None:
    assert exec_.run("sh", "-c", f"exit {status}").returncode == status


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGINT", "SIGSEGV", "SIGPIPE"])
def test_signal_that_ends_the_program_is_what_its_parent_sees(
    exec_: Exec, name: str
) -> None:
    ended = exec_.run("sh", "-c", f"kill -{name.removeprefix('SIG')} $$")
    assert ended.returncode == -getattr(signal, name)


TELL_SIGNALS = """
    import signal, sys
    def tell(number, frame):
        print(signal.Signals(number).name, flush=True)
        if number == signal.SIGTERM:
            sys.exit(7)
    for name in ("SIGTERM", "SIGHUP", "SIGINT", "SIGUSR1", "SIGUSR2", "SIGQUIT"):
        signal.signal(getattr(signal, name), tell)
    print("runs", flush=True)
    while True:
        signal.pause()
"""


def test_signals_that_were_sent_to_exec_alone_reach_the_program_once(
    exec_: Exec,
) -> None:
    process = exec_.start(TELL_SIGNALS)
    assert process.stdout is not None
    with process.stdout as told:
        for name in ("SIGHUP", "SIGINT", "SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGTERM"):
            process.send_signal(getattr(signal, name))
            assert told.readline() == f"{name}\n"
        assert process.wait(60) == 7
        assert told.read() == ""


def test_program_has_the_signals_that_it_would_have_without_us(exec_: Exec) -> None:
    code = """
        import signal
        ours = [s.name for s in signal.Signals if signal.getsignal(s) == signal.SIG_IGN]
        print(sorted(ours), signal.pthread_sigmask(signal.SIG_BLOCK, []))
    """
    program = [sys.executable, "-c", textwrap.dedent(code)]
    bare = subprocess.run(program, capture_output=True, text=True, check=True)
    assert exec_.run(*program).stdout == bare.stdout
    # Python ignores this one itself, so another program has to tell.
    told = exec_.run("sh", "-c", "kill -PIPE $$; echo ignored")
    assert told.stdout == ""


def test_program_gets_no_file_of_ours(exec_: Exec) -> None:
    ended = exec_.run("ls", "-l", "/proc/self/fd", stdin=subprocess.DEVNULL)
    numbers = re.findall(r" (\d+) -> (.*)", ended.stdout)
    assert {number for number, _ in numbers} == {"0", "1", "2", "3"}, ended.stdout
    assert dict(numbers)["3"].endswith("/fd")


def test_file_that_exec_was_given_reaches_the_program(exec_: Exec) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"handed over")
    os.close(writer)
    with os.fdopen(reader):
        code = f"import os; print(os.read({reader}, 99).decode())"
        ended = exec_.run(sys.executable, "-c", code, pass_fds=(reader,))
    assert ended.stdout == "handed over\n"


def test_exec_adds_one_process(exec_: Exec) -> None:
    process = exec_.start("print('runs', flush=True); input()", stdin=subprocess.PIPE)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    assert len(children.split()) == 1
    process.communicate("\n")


def read_all_arguments() -> bytes:
    """Return the command lines of all processes."""
    read = b""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended
            read += file.read_bytes()
    return read


def test_token_is_in_no_argument(exec_: Exec) -> None:
    code = "import os; print(os.environ['AWS_CONTAINER_AUTHORIZATION_TOKEN'])"
    process = exec_.start(
        f"print('runs', flush=True); {code}; import sys; sys.stdout.flush(); input()",
        stdin=subprocess.PIPE,
    )
    assert process.stdout is not None
    token = process.stdout.readline().strip()
    arguments = read_all_arguments()
    assert b"botocore_conn_provider" in arguments
    assert token.encode() not in arguments
    process.communicate("\n")


def test_endpoint_ends_with_the_program(exec_: Exec) -> None:
    seen = exec_.show_environment()
    assert not Path(seen["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]).parent.exists()
    port = int(seen["AWS_CONTAINER_CREDENTIALS_FULL_URI"].split(":")[2].split("/")[0])
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", port))


def test_program_whose_exec_was_killed_has_no_identity(
    exec_: Exec, metadata_server: MetadataServer
) -> None:
    exec_.environment |= metadata_server.environment()
    process = exec_.start(
        "print('runs', flush=True); input()\n"
        "try:\n"
        f"    exec({SIGN!r})\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, flush=True)\n",
        stdin=subprocess.PIPE,
    )
    process.kill()
    process.wait(60)
    told, _ = process.communicate("\n", timeout=60)
    assert told
    assert exec_.signers == []


def test_asks_are_logged_if_wanted(exec_: Exec) -> None:
    ended = exec_.run(sys.executable, "-c", SIGN, options=("--log-asks",))
    assert re.fullmatch(
        r"botocore-conn exec: [\d:]{8} asked for credentials: 200 Success\n",
        ended.stderr,
    )


class TestTerminal:
    """At a terminal."""

    def setup_method(self) -> None:
        self.unread: dict[int, str] = {}

    def test_interrupt_reaches_the_program_once(self, exec_: Exec) -> None:
        code = TELL_SIGNALS.replace("SIGTERM:", "SIGQUIT:")
        seen = self.converse(exec_, code, [b"\x03", b"\x03", b"\x1c"])
        assert seen.count("SIGINT") == 2
        assert seen.count("SIGQUIT") == 1

    def test_program_is_in_the_foreground(self, exec_: Exec) -> None:
        code = """
            import os
            print("runs", flush=True)
            assert os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp()
            print("asked:", input(), flush=True)
        """
        assert "asked: hello" in self.converse(exec_, code, [b"hello\n"])

    def test_shell_stops_both_and_goes_on_with_both(
        self, exec_: Exec, tmp_path: Path
    ) -> None:
        script = tmp_path / "asks.py"
        script.write_text("print('run' + 's', flush=True)\nprint('asked:', input())\n")
        pid, terminal = pty.fork()
        if pid == 0:
            shell = ["bash", "--norc", "--noprofile", "-i"]
            os.execvpe(shell[0], shell, {**exec_.environment, "PS1": "$ "})  # noqa: S606 - a shell's part is tested
        words = exec_.command(sys.executable, str(script))
        os.write(terminal, " ".join(words).encode() + b"\n")
        self.read_until(terminal, "runs")
        os.write(terminal, b"\x1a")
        self.read_until(terminal, "Stopped")
        os.write(terminal, b"jobs; fg\n")
        self.read_until(terminal, "Stopped")
        self.read_until(terminal, str(script))
        os.write(terminal, b"hello\n")
        assert "asked: hello" in self.read_until(terminal, "asked: hello")
        os.write(terminal, b"exit\n")
        self.read_until(terminal, "never said")
        os.waitpid(pid, 0)
        os.close(terminal)

    def converse(self, exec_: Exec, code: str, typed: list[bytes]) -> str:
        """Type each text after the program has said something new."""
        pid, terminal = self.spawn(exec_, code)
        seen = self.read_until(terminal, "runs")
        for each in typed:
            os.write(terminal, each)
            seen += self.read_some(terminal)
        seen += self.read_until(terminal, "never said")
        os.waitpid(pid, 0)
        os.close(terminal)
        return seen

    def spawn(self, exec_: Exec, code: str) -> tuple[int, int]:
        words = exec_.command(sys.executable, "-c", textwrap.dedent(code))
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(words[0], words, exec_.environment)  # noqa: S606 - at a terminal
        return pid, terminal

    def read_some(self, terminal: int) -> str:
        time.sleep(0.3)  # more than one delivery of one signal would come in it
        return self.unread.pop(terminal, "") + os.read(terminal, 65536).decode()

    def read_until(self, terminal: int, text: str) -> str:
        """Return what is said, up to this text; what follows it is kept."""
        seen = self.unread.pop(terminal, "")
        while text not in seen:
            try:
                seen += os.read(terminal, 65536).decode()
            except OSError:  # noqa: PERF203 - the program has ended
                return seen
        said, found, self.unread[terminal] = seen.partition(text)
        return said + found


class TestNarrowed:
    """A program that is to have less than the role."""

    def test_read_only(self, exec_: Exec) -> None:
        ended = exec_.run(sys.executable, "-c", SIGN, options=("--read-only",))
        assert ended.returncode == 0, ended.stderr
        (asked,) = exec_.aws.sts_requests
        arn = asked.parameters["PolicyArns.member.1.arn"]
        assert arn == "arn:aws:iam::aws:policy/ReadOnlyAccess"

    def test_policy_of_a_file(self, exec_: Exec, tmp_path: Path) -> None:
        file = tmp_path / "policy.json"
        policy = {"Version": "2012-10-17", "Statement": []}
        file.write_text(json.dumps(policy, indent=4))
        ended = exec_.run("true", options=("--policy", str(file)))
        assert ended.returncode == 0, ended.stderr
        (asked,) = exec_.aws.sts_requests
        assert asked.parameters["Policy"] == json.dumps(policy, separators=(",", ":"))

    def test_managed_policy(self, exec_: Exec) -> None:
        arn = "arn:aws:iam::123456789012:policy/less"
        exec_.run("true", options=("--policy", arn))
        (asked,) = exec_.aws.sts_requests
        assert asked.parameters["PolicyArns.member.1.arn"] == arn

    def test_for_a_while(self, exec_: Exec) -> None:
        exec_.run("true", options=("--for", "30m"))
        (asked,) = exec_.aws.sts_requests
        assert asked.parameters["DurationSeconds"] == "1800"

    def test_at_its_end_it_gets_no_more(self, exec_: Exec) -> None:
        exec_.aws.inject(Fault(expires_in_seconds=2))
        code = f"""
            import time
            time.sleep(2.5)
            try:
                exec({SIGN!r})
            except Exception as error:
                print(error)
        """
        ended = exec_.run(
            sys.executable, "-c", textwrap.dedent(code), options=("--for", "15m")
        )
        assert "is over" in ended.stdout
        assert len(exec_.aws.sts_requests) == 1

    def test_never_mixes_with_the_whole_role_in_the_store(self, exec_: Exec) -> None:
        for options in ((), ("--read-only",), (), ("--read-only",)):
            exec_.run(sys.executable, "-c", SIGN, options=options)
        whole, narrow, *again = exec_.signers
        assert whole != narrow
        assert again == [whole, narrow]
        assert len(exec_.aws.sts_requests) == 2

    def test_has_no_connection_and_no_way_back(self, exec_: Exec) -> None:
        env = {
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AIRFLOW_CONN_OTHER": "aws://",
            "airflow_conn_lower": "aws://",
            "BOTOCORE_CONN_ID": "aws_default",
        }
        seen = exec_.show_environment(options=("--read-only",), env=env)
        assert not [n for n in seen if n.upper().startswith(("AIRFLOW_CONN", "BOTOC"))]
        assert "AKIAIOSFODNN7EXAMPLE" not in seen.values()

    def test_program_that_installs_uses_the_narrowed_session(self, exec_: Exec) -> None:
        code = "import botocore_conn_provider as b; b.install()" + SIGN
        ended = exec_.run(sys.executable, "-c", code, options=("--read-only",))
        assert ended.returncode == 0, ended.stderr
        assert len(exec_.aws.sts_requests) == 1
        assert len(exec_.signers) == 1

    @pytest.mark.parametrize(
        ("extra", "options", "field"),
        [
            ({}, ("--read-only",), "role_arn"),
            (
                {"role_arn": ROLE, "assume_role_kwargs": {"Policy": "{}"}},
                ("--read-only",),
                "Policy",
            ),
            (
                {"role_arn": ROLE, "assume_role_kwargs": {"DurationSeconds": 900}},
                ("--for", "1h"),
                "DurationSeconds",
            ),
        ],
    )
    def test_is_refused_where_it_would_not_be_narrower(
        self,
        exec_: Exec,
        extra: dict[str, Any],
        options: tuple[str, ...],
        field: str,
    ) -> None:
        exec_.connect(**extra)
        ended = exec_.run("true", options=options)
        assert ended.returncode == 3
        assert field in ended.stderr
        assert not exec_.aws.requests

    @pytest.mark.parametrize(
        "options",
        [
            ("--for", "1m"),
            ("--for", "13h"),
            ("--for", "soon"),
            ("--policy", "/nowhere"),
            ("--policy", "/etc/passwd"),
            ("--read-only", "--policy", "arn:aws:iam::1:policy/x"),
            ("--read-only", "--keep-aws-files"),
        ],
    )
    def test_is_called_wrongly(self, exec_: Exec, options: tuple[str, ...]) -> None:
        assert exec_.run("true", options=options).returncode == 2
        assert not exec_.aws.requests
