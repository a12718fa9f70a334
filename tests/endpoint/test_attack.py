"""Attempts to have an engine or a session be somebody else because engines are on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.endpoint.programs import INSTALL, World, join

if TYPE_CHECKING:
    from tests.ways import MetadataServer


class TestSwitchedOff:
    """A session that the product leaves alone is the machine, as without engines."""

    @pytest.mark.parametrize(
        "session",
        [
            "boto3.Session()",
            "botocore_conn_provider.session('aws_default')",
            "older",
        ],
    )
    def test_later_in_the_program(
        self, world: World, metadata_server: MetadataServer, session: str
    ) -> None:
        code = f"""
            import boto3, botocore_conn_provider
            older = boto3.Session()
            botocore_conn_provider.install(engines=True)
            os.environ["BOTOCORE_CONN_DISABLE"] = "1"
            use({session})
        """
        world.run(code, world.assume(), metadata_server.environment())
        assert world.signers == [metadata_server.access_key_id]
        assert world.exchanges == []


class TestImports:
    """Activation reaches engines before the first of them, whatever else is going on."""

    def test_program_that_wants_no_engines_is_obeyed(
        self, world: World, activated: dict[str, str]
    ) -> None:
        code = """
            import botocore_conn_provider
            botocore_conn_provider.install(engines=False)
            import pyarrow
            assert pyarrow.seen is None
        """
        world.run(code, world.assume(), activated)

    def test_engine_that_is_imported_while_another_thread_installs_holds_nobody(
        self, world: World, activated: dict[str, str]
    ) -> None:
        """Python lets no thread look for a module while a hook of another one waits."""
        code = """
            import faulthandler, threading, time
            import botocore_conn_provider
            from botocore_conn_provider.endpoint import engines
            faulthandler.dump_traceback_later(20, exit=True)
            reach = engines._reach
            def import_and_reach(*args, **options):
                threading.Thread(
                    target=__import__, args=("pyarrow",), daemon=True
                ).start()
                time.sleep(0.3)
                import wave
                return reach(*args, **options)
            engines._reach = import_and_reach
            botocore_conn_provider.install(engines=True)
            import obstore
            assert obstore.seen
        """
        world.run(code, world.assume(), activated)

    def test_engine_after_one_that_could_not_be_reached_is_not_the_machine(
        self, world: World, activated: dict[str, str]
    ) -> None:
        """What is raised at the first import, a time limit's error, is no way around."""
        code = """
            from botocore_conn_provider.endpoint import engines
            reach = engines._reach
            def fail(*args, **options):
                engines._reach = reach
                raise TimeoutError
            engines._reach = fail
            try:
                import pyarrow
            except TimeoutError:
                import obstore
            assert obstore.seen
        """
        world.run(code, world.assume(), activated)

    @pytest.mark.parametrize("call", ["", "engines=True"])
    def test_botocore_imported_by_another_thread_holds_nobody(
        self, world: World, activated: dict[str, str], call: str
    ) -> None:
        """It looks for awscrt, an engine, while a thread that installs waits for it."""
        code = f"""
            import threading, time, traceback
            import botocore_conn_provider
            from botocore_conn_provider.sessions import installation
            install = botocore_conn_provider.install  # Python 3.10 would wait for it
            looked, go_on = threading.Event(), threading.Event()
            class Pause:
                def find_spec(self, name, path=None, target=None):
                    if name == "awscrt":
                        looked.set()
                        go_on.wait()
            sys.meta_path.insert(0, Pause())
            def waits(thread):
                frame = sys._current_frames().get(thread.ident)
                while frame is not None:
                    if frame.f_code.co_name == "reach_older_sessions":
                        return True
                    frame = frame.f_back
            imports = threading.Thread(
                target=__import__, args=("botocore.session",), daemon=True
            )
            imports.start()
            looked.wait()
            installs = threading.Thread(
                target=install, kwargs=dict({call}), daemon=True
            )
            installs.start()
            for _ in range(1000):
                if waits(installs) or not installs.is_alive():
                    break
                time.sleep(0.01)
            time.sleep(0.2)
            go_on.set()
            for each in (imports, installs):
                each.join(20)
                assert not each.is_alive(), "deadlock"
        """
        world.run(code, world.assume(), activated)


class TestFollowing:
    def test_engines_are_never_the_machine_on_the_way_to_another_connection(
        self, world: World
    ) -> None:
        code = """
            from botocore_conn_provider.endpoint import engines
            read = engines._read
            def look(*args):
                start_engine()
                return read(*args)
            engines._read = look
            botocore_conn_provider.install("other")
        """
        env = {"AIRFLOW_CONN_OTHER": world.assume()}
        ended = world.run(join(INSTALL, code), world.assume(), env)
        assert ended.stdout == "signed\n"

    def test_region_of_the_former_connection_does_not_stay(self, world: World) -> None:
        code = """
            assert os.environ["AWS_REGION"] == "eu-west-1"
            before = os.environ.get("AWS_DEFAULT_REGION")
            botocore_conn_provider.install("other")
            assert "AWS_REGION" not in os.environ, os.environ["AWS_REGION"]
            botocore_conn_provider.uninstall()
            left = [n for n in os.environ if n.startswith("AWS_CONT") or "proxy" in n]
            assert not left, left
        """
        other = world.connect(aws_session_token="token")
        env = {"AIRFLOW_CONN_OTHER": other, "AWS_DEFAULT_REGION": None}
        world.run(join(INSTALL, code), world.assume(), env)


def test_program_without_file_descriptors_loses_no_endpoint(world: World) -> None:
    """While it has none left, nobody is answered; afterwards everybody is."""
    code = """
        import resource, socket, time
        port = int(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"].split("/")[2][10:])
        client = socket.socket()
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        held = []
        try:
            while True:
                held.append(open(os.devnull))
        except OSError:  # from here on no module can be loaded, ours neither
            pass
        client.connect(("127.0.0.1", port))
        time.sleep(0.3)
        del held, client
        start_engine()
    """
    ended = world.run(join(INSTALL, code), world.assume())
    assert ended.stdout == "signed\n"
