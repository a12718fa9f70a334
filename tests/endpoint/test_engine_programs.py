"""Engines in the children of a program, and in a program that is activated."""

from __future__ import annotations

import json
import pathlib
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.connection import environment
from botocore_conn_provider.startup import hook
from tests.endpoint.programs import INSTALL, World, join

if TYPE_CHECKING:
    from tests.leaks import Secrets
    from tests.ways import MetadataServer


class TestChildren:
    """Children of every kind, and what is left of them when their parent is gone."""

    @pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
    def test_of_multiprocessing(self, world: World, method: str) -> None:
        code = f"""
            import multiprocessing
            process = multiprocessing.get_context("{method}").Process(
                target=subprocess.run, args=([sys.executable, "-c", ASK],)
            )
            process.start()
            process.join()
        """
        world.run(join(INSTALL, code), world.assume())
        assert len(world.signers) == 1
        assert len(world.exchanges) == 1

    def test_with_a_copy_of_the_environment(self, world: World) -> None:
        code = "start_engine(env={**os.environ, 'MORE': '1'})"
        world.run(join(INSTALL, code), world.assume())
        assert len(world.signers) == 1

    def test_of_a_fork_of_a_fork(self, world: World) -> None:
        code = """
            for _ in range(2):
                child = os.fork()
                if child:
                    os.waitpid(child, 0)
                    os._exit(0)
            start_engine()
            sys.stdout.flush()
            os._exit(0)
        """
        world.run(join(INSTALL, code), world.assume())
        assert len(world.signers) == 1

    def test_whose_parent_is_gone_get_an_error_and_not_the_machine(
        self, world: World, metadata_server: MetadataServer
    ) -> None:
        code = """
            start_engine()
            reader, writer = os.pipe()
            parent = os.getpid()
            if os.fork() == 0:
                os.setsid()
                while os.getppid() == parent:
                    import time
                    time.sleep(0.01)
                start_engine()
                sys.stdout.flush()
                os._exit(0)
            os._exit(0)
        """
        ended = world.run(
            join(INSTALL, code), world.assume(), metadata_server.environment()
        )
        assert ended.stdout.count("signed") <= 1
        assert len(world.signers) == 1
        assert metadata_server.access_key_id not in world.signers

    def test_child_that_uninstalls_leaves_the_parents_endpoint(
        self, world: World
    ) -> None:
        code = """
            child = os.fork()
            if child == 0:
                botocore_conn_provider.uninstall()
                assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" not in os.environ
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            start_engine()
        """
        world.run(join(INSTALL, code), world.assume())
        assert len(world.signers) == 1

    def test_child_that_takes_another_connection_has_its_own_endpoint(
        self, world: World, secrets: Secrets
    ) -> None:
        other = json.loads(world.assume())
        other["login"] = secrets.new_access_key_id()
        code = """
            child = os.fork()
            if child == 0:
                botocore_conn_provider.install("other", engines=True)
                start_engine()
                sys.stdout.flush()
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            start_engine()
        """
        env = {"AIRFLOW_CONN_OTHER": json.dumps(other)}
        world.run(join(INSTALL, code), world.assume(), env)
        assert world.exchanges == [other["login"], world.key_id]
        assert len(set(world.signers)) == 2


class TestStartUp:
    """Activation at interpreter start, in programs that import an engine."""

    def test_engine_finds_the_endpoint_when_it_is_imported(
        self, world: World, activated: dict[str, str]
    ) -> None:
        code = """
            import pyarrow
            assert pyarrow.seen, "too late"
            assert "botocore.session" not in sys.modules
            del os.environ["PYTHONPATH"]
            start_engine()
        """
        world.run(code, world.assume(), activated)
        assert len(world.exchanges) == len(world.signers) == 1

    def test_nothing_is_loaded_before_an_engine_is(
        self, world: World, activated: dict[str, str]
    ) -> None:
        code = """
            ours = [n for n in sys.modules if n.startswith("botocore_conn_provider")]
            assert len(ours) == 3, ours
            assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" not in os.environ
        """
        world.run(code, world.assume(), activated)

    def test_botocore_alone_starts_it_for_the_programs_children(
        self, world: World, activated: dict[str, str]
    ) -> None:
        code = """
            import boto3
            use(boto3.Session())
            del os.environ["PYTHONPATH"]
            start_engine()
        """
        world.run(code, world.assume(), activated)
        assert len(world.exchanges) == 1
        assert len(set(world.signers)) == 1

    def test_program_that_uninstalled_is_left_alone(
        self, world: World, activated: dict[str, str]
    ) -> None:
        code = """
            import botocore_conn_provider
            botocore_conn_provider.uninstall()
            import pyarrow
            assert pyarrow.seen is None
        """
        world.run(code, world.assume(), activated)

    def test_engine_gets_the_connection_that_the_program_named(
        self, world: World, activated: dict[str, str], secrets: Secrets
    ) -> None:
        other = json.loads(world.assume())
        other["login"] = secrets.new_access_key_id()
        code = """
            import botocore_conn_provider
            botocore_conn_provider.install("other")
            import pyarrow
            assert pyarrow.seen
            del os.environ["PYTHONPATH"]
            start_engine()
        """
        env = {**activated, "AIRFLOW_CONN_OTHER": json.dumps(other)}
        world.run(code, world.assume(), env)
        assert world.exchanges == [other["login"]]

    def test_broken_connection_breaks_no_import(
        self, world: World, activated: dict[str, str]
    ) -> None:
        code = "import pyarrow; assert pyarrow.seen"
        world.run(code, "nonsense", activated)


def test_names_of_the_variable_are_the_hooks() -> None:
    source = pathlib.Path(hook.__file__).read_text()
    assert f'"{environment.ENGINES_VARIABLE}"' in source
    assert repr(environment.NO_WORDS).replace("'", '"') in source
