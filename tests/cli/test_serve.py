"""`serve`: neighbours sign with the connection, from its start to its end."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from botocore_conn_provider.cli import idle_renewal
from botocore_conn_provider.cli.end_signals import EndedError, EndSignals
from botocore_conn_provider.cli.serve_variables import (
    list_variables,
    write_json,
    write_shell,
)
from botocore_conn_provider.endpoint.token_place import open_token_file
from botocore_conn_provider.errors import CredentialFetchError
from botocore_conn_provider.events import Event
from tests.aws import Fault, build_error
from tests.cli.serving import find_port, get, wait_until
from tests.endpoint.asking import open_fixed

if TYPE_CHECKING:
    from tests.cli.conftest import Command
    from tests.cli.serving import Neighbourhood
    from tests.leaks import Secrets
    from tests.ways import MetadataServer, Proxy


@pytest.fixture
def port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        number: int = sock.getsockname()[1]
        return number


@pytest.fixture
def token_file(tmp_path: Path, secrets: Secrets) -> Path:
    """A file with a token."""
    path = tmp_path / "token"
    secrets.add(open_token_file(str(path)).token.reveal(), name="endpoint's token")
    return path


class TestNeighbours:
    """What they are told, and who they are then."""

    def test_shell_that_reads_the_lines_signs_as_the_connection(
        self, neighbourhood: Neighbourhood, metadata_server: MetadataServer
    ) -> None:
        serving = neighbourhood.serve()
        neighbourhood.run_in_shell(
            serving,
            **metadata_server.environment(),
            AWS_ACCESS_KEY_ID="AKIASOMEBODYELSE0000",
            AWS_SECRET_ACCESS_KEY="of somebody else",
            AWS_PROFILE="of-somebody-else",
            AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/of/somebody/else",
        )
        (exchange,) = neighbourhood.aws.sts_requests
        (signer,) = neighbourhood.signers
        assert exchange.access_key_id == neighbourhood.key_id
        assert signer is not None
        assert signer.startswith("ASIA")

    def test_json_is_an_environment_in_which_null_is_not_set(
        self, neighbourhood: Neighbourhood
    ) -> None:
        serving = neighbourhood.serve("--json")
        variables = json.loads(serving.out)
        assert serving.ready.read_text() == serving.out
        assert variables["AWS_ACCESS_KEY_ID"] is None
        assert variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] is None
        neighbourhood.run({name: v for name, v in variables.items() if v is not None})
        assert len(neighbourhood.signers) == 1

    def test_lines_work_twice_and_in_a_strict_shell(
        self, neighbourhood: Neighbourhood
    ) -> None:
        serving = neighbourhood.serve()
        twice = serving.ready.read_text() * 2
        subprocess.run(["/bin/sh", "-euc", twice], check=True, env={"PATH": "/bin"})

    def test_region_and_token_are_told(self, neighbourhood: Neighbourhood) -> None:
        variables = neighbourhood.serve().read_variables()
        file = Path(variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"])
        token = variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
        neighbourhood.secrets.add(token, name="endpoint's token")
        assert file.read_text() == token
        assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "eu-west-1"
        assert variables["AWS_EC2_METADATA_DISABLED"] == "true"

    def test_proxy_sees_nothing_of_the_endpoint(
        self, neighbourhood: Neighbourhood, proxy: Proxy
    ) -> None:
        serving = neighbourhood.serve()
        for mine in ({}, {"NO_PROXY": "a.example"}, {"no_proxy": "b.example"}):
            neighbourhood.run_in_shell(serving, http_proxy=proxy.url, **mine)
        assert len(neighbourhood.signers) == 3
        assert proxy.requests == []

    @pytest.mark.parametrize(
        ("mine", "merged"),
        [
            ({"NO_PROXY": "a", "no_proxy": "b"}, "a,b,127.0.0.1,localhost"),
            ({"no_proxy": "b,.c"}, "b,.c,127.0.0.1,localhost"),
            ({"NO_PROXY": "*"}, "*"),
            ({"NO_PROXY": "a", "no_proxy": "b,*"}, "*"),
            ({"NO_PROXY": "*.a"}, "*.a,127.0.0.1,localhost"),
            ({}, "127.0.0.1,localhost"),
        ],
    )
    def test_neighbours_own_exceptions_from_the_proxy_are_kept(
        self, secrets: Secrets, mine: dict[str, str], merged: str
    ) -> None:
        with open_fixed(secrets) as endpoint:
            lines = write_shell(list_variables(endpoint, "eu-west-1", {}))
            script = f'{lines} printf %s "$NO_PROXY $no_proxy"'
            told = subprocess.run(
                ["/bin/sh", "-euc", script],
                env={"PATH": os.environ["PATH"], **mine},
                capture_output=True,
                text=True,
                check=True,
            )
            assert told.stdout == f"{merged} {merged}"
            assert list_variables(endpoint, None, mine).given["NO_PROXY"] == merged

    @pytest.mark.parametrize(("mine", "is_left"), [("*", False), ("a.example", True)])
    def test_no_proxy_is_left_to_a_neighbour_that_excepts_every_host(
        self,
        secrets: Secrets,
        mine: str,
        is_left: bool,  # noqa: FBT001 - a case
    ) -> None:
        """Engines take `*` for names only, and would send it the token."""
        proxies = {"HTTP_PROXY": "http://proxy:1", "all_proxy": "http://proxy:1"}
        environ = {**proxies, "NO_PROXY": mine}
        with open_fixed(secrets) as endpoint:
            lines = write_shell(list_variables(endpoint, None, {}))
            told = json.loads(write_json(list_variables(endpoint, None, environ)))
        names = subprocess.run(
            ["/bin/sh", "-euc", f"{lines} env | cut -d= -f1"],
            env={"PATH": os.environ["PATH"], **environ},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        assert [name in names for name in proxies] == [is_left] * 2
        assert [name not in told for name in proxies] == [is_left] * 2
        assert [told.get(name) for name in proxies] == [None] * 2

    def test_what_names_another_identity_is_gone_where_the_lines_were_read(
        self, secrets: Secrets
    ) -> None:
        others = (
            "ACCESS_KEY_ID",  # lance and deltalake read it so, too
            "SECRET_ACCESS_KEY",
            "SKIP_SIGNATURE",
            "AWS_ACCESS_KEY_ID",
            "AMAZON_SESSION_TOKEN",
            "AWS_PROFILE",
            "AWS_ROLE_ARN",
        )
        with open_fixed(secrets) as endpoint:
            lines = write_shell(list_variables(endpoint, "eu-west-1", {}))
        names = subprocess.run(
            ["/bin/sh", "-euc", f"{lines} env | cut -d= -f1"],
            env={"PATH": os.environ["PATH"], **dict.fromkeys(others, "another's")},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" in names
        assert [name for name in others if name in names] == []

    def test_only_names_that_a_shell_can_unset_are_unset(
        self, secrets: Secrets
    ) -> None:
        environ = {"AWS_BEARER_TOKEN_X": "a", "AWS_BEARER_TOKEN_;reboot": "b"}
        with open_fixed(secrets) as endpoint:
            unset = list_variables(endpoint, None, environ).unset
        bearers = {name for name in unset if name.startswith("AWS_BEARER_TOKEN_")}
        assert bearers == {"AWS_BEARER_TOKEN_X", "AWS_BEARER_TOKEN_BEDROCK"}


class TestReadiness:
    """Ready is: the first credentials are in memory, and everything is written."""

    def test_comes_after_the_exchange(
        self, neighbourhood: Neighbourhood, tmp_path: Path
    ) -> None:
        ready = tmp_path / "former"
        ready.write_text("of one that was killed")
        held = threading.Event()
        neighbourhood.aws.inject(Fault(until=held))
        serving = neighbourhood.start("--ready-file", str(ready))
        wait_until(lambda: neighbourhood.aws.sts_requests)
        assert serving.out == ""
        assert not ready.exists()
        held.set()
        wait_until(ready.exists)
        assert ready.read_text() == serving.out
        assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" in serving.out

    def test_who_asks_too_early_waits(
        self, neighbourhood: Neighbourhood, port: int, token_file: Path
    ) -> None:
        held = threading.Event()
        neighbourhood.aws.inject(Fault(until=held))
        neighbourhood.start("--port", str(port), "--token-file", str(token_file))
        wait_until(lambda: neighbourhood.aws.sts_requests)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as early:
            early.sendall(
                f"GET /credentials HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                f"Authorization: {token_file.read_text()}\r\n\r\n".encode()
            )
            held.set()
            assert early.recv(65536).startswith(b"HTTP/1.1 200 ")

    @pytest.mark.parametrize(
        ("text", "code"), [("", 4), ("aws://?role_arn=wrong", 3)], ids=["none", "wrong"]
    )
    def test_connection_that_cannot_be_used_is_an_error(
        self, neighbourhood: Neighbourhood, text: str, code: int
    ) -> None:
        neighbourhood.environ["AIRFLOW_CONN_AWS_DEFAULT"] = text
        serving = neighbourhood.start()
        assert serving.wait() == code
        assert serving.out == ""
        assert not serving.ready.exists()

    def test_refused_exchange_is_an_error(self, neighbourhood: Neighbourhood) -> None:
        neighbourhood.aws.inject(Fault(403, build_error("AccessDenied")))
        serving = neighbourhood.start()
        assert serving.wait() == 1
        assert "AccessDenied" in serving.err
        assert serving.out == ""
        assert not serving.ready.exists()
        assert list(neighbourhood.temporary.iterdir()) == []

    def test_keys_without_a_session_token_are_not_served(
        self, neighbourhood: Neighbourhood
    ) -> None:
        neighbourhood.connect()
        serving = neighbourhood.start()
        assert serving.wait() == 1
        assert "botocore-conn exec" in serving.err
        assert serving.out == ""


class TestEnd:
    """A signal ends it, and what is left."""

    @pytest.mark.parametrize(
        "number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=str
    )
    def test_leaves_nothing(self, neighbourhood: Neighbourhood, number: int) -> None:
        serving = neighbourhood.serve()
        port = find_port(serving.read_variables())
        assert serving.end(number) == 0
        assert not serving.ready.exists()
        assert list(neighbourhood.temporary.iterdir()) == []
        with pytest.raises(ConnectionRefusedError):
            get(port, "/healthz")

    def test_comes_during_the_first_exchange_too(
        self, neighbourhood: Neighbourhood
    ) -> None:
        held = threading.Event()
        neighbourhood.aws.inject(Fault(until=held))
        serving = neighbourhood.start()
        wait_until(lambda: neighbourhood.aws.sts_requests)
        assert serving.end() == 0
        held.set()
        assert serving.out == ""
        assert list(neighbourhood.temporary.iterdir()) == []

    def test_signal_that_is_ignored_does_not_end_it(self) -> None:
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            with EndSignals() as signals:
                os.kill(os.getpid(), signal.SIGHUP)
                signals.sleep(0)
                assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        finally:
            signal.signal(signal.SIGHUP, before)

    def test_signal_wakes_who_sleeps(self) -> None:
        with EndSignals() as signals:
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
            with pytest.raises(EndedError):
                signals.sleep(3600)

    def test_signal_between_two_waits_is_for_the_next_one(self) -> None:
        done = []
        with EndSignals() as signals:
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("what must not be cut short")
            with pytest.raises(EndedError), signals.waiting():
                done.append("a wait")
        assert done == ["what must not be cut short"]

    def test_handlers_from_before_are_back_afterwards(self) -> None:
        before = signal.getsignal(signal.SIGTERM)
        with EndSignals():
            assert signal.getsignal(signal.SIGTERM) != before
        assert signal.getsignal(signal.SIGTERM) == before


class TestPlace:
    """The port and the files, which may be another's."""

    def test_second_one_on_the_same_port_says_so_and_disturbs_nothing(
        self, neighbourhood: Neighbourhood, port: int, token_file: Path
    ) -> None:
        words = ("--port", str(port), "--token-file", str(token_file))
        first = neighbourhood.serve(*words)
        second = neighbourhood.start(*words, "--ready-file", str(first.ready))
        assert second.wait() == 1
        assert f"port {port} " in second.err
        assert "Traceback" not in second.err
        assert first.ready.exists()
        assert get(port, "/credentials", token_file.read_text()).status == 200
        assert len(neighbourhood.aws.sts_requests) == 1

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=str)
    def test_neighbours_go_on_after_a_restart(
        self, neighbourhood: Neighbourhood, port: int, tmp_path: Path, number: int
    ) -> None:
        words = ("--port", str(port), "--token-file", str(tmp_path / "token"))
        first = neighbourhood.serve(*words)
        variables = first.read_variables()
        neighbourhood.secrets.add(
            variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"], name="endpoint's token"
        )
        neighbourhood.run(variables)
        first.end(number)
        neighbourhood.serve(*words)
        neighbourhood.run(variables)
        assert len(neighbourhood.signers) == 2
        assert len(neighbourhood.aws.sts_requests) == 2

    def test_token_that_others_could_read_is_replaced_and_it_is_said(
        self, neighbourhood: Neighbourhood, token_file: Path
    ) -> None:
        known = token_file.read_text()
        token_file.chmod(0o644)
        serving = neighbourhood.serve("--token-file", str(token_file))
        port = find_port(serving.read_variables())
        assert "other users could read the token" in serving.err
        assert get(port, "/credentials", known).status == 401
        assert get(port, "/credentials", token_file.read_text()).status == 200

    def test_file_of_something_else_is_no_token_file(
        self, neighbourhood: Neighbourhood, tmp_path: Path
    ) -> None:
        notes = tmp_path / "notes"
        notes.write_text("of the user")
        serving = neighbourhood.start("--token-file", str(notes))
        assert serving.wait() == 1
        assert "the token file cannot be used: it holds something" in serving.err
        assert notes.read_text() == "of the user"
        assert not serving.ready.exists()

    def test_ready_file_that_cannot_be_written_is_an_error(
        self, neighbourhood: Neighbourhood, tmp_path: Path
    ) -> None:
        place = tmp_path / "absent" / "ready"
        serving = neighbourhood.start("--ready-file", str(place))
        assert serving.wait() == 1
        assert "the ready file cannot be used: No such file" in serving.err
        assert list(neighbourhood.temporary.iterdir()) == []

    def test_full_disk_leaves_no_half_ready_file(
        self, neighbourhood: Neighbourhood, tmp_path: Path, token_file: Path
    ) -> None:
        directory = tmp_path / "full"
        directory.mkdir()
        words = [sys.executable, "-m", "botocore_conn_provider", "serve"]
        words += ["--token-file", str(token_file)]
        words += ["--ready-file", str(directory / "ready")]
        ended = subprocess.run(
            ["/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "-", *words],
            env={**neighbourhood.environ, "COVERAGE_PROCESS_START": ""},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 1
        assert "ready file" in ended.stderr
        assert list(directory.iterdir()) == []

    def test_output_that_cannot_be_written_is_an_error(
        self, neighbourhood: Neighbourhood
    ) -> None:
        with Path("/dev/full").open("w") as full:
            ended = subprocess.run(
                [sys.executable, "-m", "botocore_conn_provider", "serve"],
                env=neighbourhood.environ,
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                timeout=120,
                check=False,
            )
        assert ended.returncode == 1
        assert ended.stderr.startswith("botocore-conn: standard output cannot be")
        assert "Traceback" not in ended.stderr

    def test_closed_streams_do_not_end_it(
        self, neighbourhood: Neighbourhood, tmp_path: Path
    ) -> None:
        ready = tmp_path / "ready"
        words = [sys.executable, "-m", "botocore_conn_provider", "serve"]
        words += ["--ready-file", str(ready)]
        process = subprocess.Popen(
            ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "-", *words],
            env=neighbourhood.environ,
        )
        try:
            wait_until(ready.exists)
            process.terminate()
            assert process.wait(60) == 0
        finally:
            process.kill()
            process.wait()

    @pytest.mark.parametrize("text", ["-1", "65536", "http", "٣", "1e3"])
    def test_port_that_is_none_is_refused(self, command: Command, text: str) -> None:
        assert command("serve", "--port", text).code == 2

    def test_one_file_cannot_be_both(self, command: Command, tmp_path: Path) -> None:
        one = str(tmp_path / "one")
        assert command("serve", "--token-file", one, "--ready-file", one).code == 2


class TestWhileItServes:
    """Fresh without asks, alive whatever STS does, and silent about the token."""

    def test_credentials_are_renewed_although_nobody_asks(
        self, neighbourhood: Neighbourhood
    ) -> None:
        neighbourhood.aws.inject(Fault(expires_in_seconds=8))
        serving = neighbourhood.serve()
        port = find_port(serving.read_variables())
        wait_until(lambda: len(neighbourhood.aws.sts_requests) == 2)
        wait_until(lambda: get(port, "/healthz").document["seconds_left"] > 100)

    def test_hanging_source_does_not_hang_health_or_neighbours(
        self, neighbourhood: Neighbourhood, token_file: Path
    ) -> None:
        held = threading.Event()
        neighbourhood.aws.inject(Fault(expires_in_seconds=12))
        neighbourhood.aws.inject(Fault(until=held))
        serving = neighbourhood.serve("--token-file", str(token_file))
        port = find_port(serving.read_variables())
        try:
            wait_until(lambda: len(neighbourhood.aws.sts_requests) == 2)
            assert get(port, "/healthz").document["alive"]
            # The old credentials as long as they are valid; then, why there are none.
            asked = get(port, "/credentials", token_file.read_text())
            assert asked.status in (200, 403)
            assert not held.is_set()
        finally:
            held.set()

    def test_health_tells_three_things_without_a_token(
        self, neighbourhood: Neighbourhood
    ) -> None:
        serving = neighbourhood.serve()
        port = find_port(serving.read_variables())
        health = get(port, "/healthz")
        assert health.status == 200
        assert set(health.document) == {"alive", "fresh", "seconds_left"}
        assert health.document["seconds_left"] > 3000

    def test_token_stands_in_its_private_file_only(
        self, neighbourhood: Neighbourhood, token_file: Path
    ) -> None:
        token = token_file.read_text()
        serving = neighbourhood.serve(
            "--token-file", str(token_file), "--log-asks", "--debug"
        )
        port = find_port(serving.read_variables())
        assert get(port, "/credentials", token).status == 200
        assert get(port, "/credentials", "wrong").status == 401
        wait_until(lambda: "401 WrongToken" in serving.err)
        assert "200 Success" in serving.err
        assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
        assert token not in serving.out + serving.err + serving.ready.read_text()
        proc = Path("/proc", str(serving.process.pid))
        for shown in ("cmdline", "environ"):
            assert token.encode() not in (proc / shown).read_bytes()

    def test_nothing_ends_the_renewals_but_a_signal(self) -> None:
        faults = [CredentialFetchError(conn_id="data", cause="no."), ValueError(), None]

        class Faulty:
            def take(self, before: object = None) -> Any:  # noqa: ARG002 - of the protocol
                fault = faults.pop(0)
                if fault is not None:
                    raise fault

            def find_seconds_left(self) -> None:
                return None

        class Signals(EndSignals):
            def sleep(self, seconds: float) -> None:  # noqa: ARG002 - of the base class
                if not faults:
                    raise EndedError

        with pytest.raises(EndedError):
            idle_renewal.keep_fresh(Faulty(), Signals())
        assert faults == []

    def test_failing_renewal_is_told_once_until_one_succeeds(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        listen = idle_renewal.build_listener()
        for error in ("no way", "no way", "refused", None, None, "no way"):
            kind: Any = "renewal_failed" if error else "renewal_succeeded"
            listen(Event(kind, "data", error=error))
        told = [
            line.rpartition(": ")[2] for line in capsys.readouterr().err.split("\n")
        ]
        assert told == [
            "no way",
            "refused",
            "the credentials are renewed again.",
            "no way",
            "",
        ]
