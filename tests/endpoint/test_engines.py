"""Engines beside botocore in a process, and the programs that it starts.

A child that has boto3 alone stands for them: it asks the endpoint as every AWS SDK does.
The real engines are in tests/engines.
"""

from __future__ import annotations

import json
import pathlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.endpoint.programs import INSTALL, World, join

if TYPE_CHECKING:
    from tests.leaks import Secrets


def test_engine_gets_the_connection(world: World) -> None:
    ended = world.run(join(INSTALL, "start_engine()"), world.assume())
    assert ended.stdout == "signed\n"
    assert world.exchanges == [world.key_id]
    (signer,) = world.signers
    assert str(signer).startswith("ASIA")


def test_engine_and_session_cost_one_exchange(world: World) -> None:
    code = """
        import boto3
        use(boto3.Session())
        start_engine()
        use(boto3.Session())
        start_engine()
    """
    world.run(join(INSTALL, code), world.assume())
    assert len(world.exchanges) == 1
    assert len(set(world.signers)) == 1
    assert len(world.signers) == 4


def test_without_engines_the_environment_is_left_alone(world: World) -> None:
    code = """
        before = dict(os.environ)
        import botocore_conn_provider
        botocore_conn_provider.install()
        assert dict(os.environ) == before
        assert not [name for name in sys.modules if "provider.endpoint" in name]
    """
    world.run(code, world.assume())


def test_variable_switches_engines_on_for_install(world: World) -> None:
    code = """
        import botocore_conn_provider
        botocore_conn_provider.install()
        start_engine()
    """
    world.run(code, world.assume(), {"BOTOCORE_CONN_ENGINES": "on"})
    assert len(world.signers) == 1


@pytest.mark.parametrize("word", ["off", "0", "no", "False", " "])
def test_variable_that_says_no_switches_nothing_on(world: World, word: str) -> None:
    code = """
        before = dict(os.environ)
        import botocore_conn_provider
        botocore_conn_provider.install()
        assert dict(os.environ) == before
    """
    world.run(code, world.assume(), {"BOTOCORE_CONN_ENGINES": word})


def test_what_the_program_says_beats_the_variable(world: World) -> None:
    code = """
        before = dict(os.environ)
        import botocore_conn_provider
        botocore_conn_provider.install(engines=False)
        assert dict(os.environ) == before
    """
    world.run(code, world.assume(), {"BOTOCORE_CONN_ENGINES": "on"})


@pytest.mark.parametrize("undo", ["uninstall()", "install(engines=False)"])
def test_environment_is_put_back_and_the_endpoint_closed(
    world: World, undo: str
) -> None:
    code = f"""
        before = dict(os.environ)
        import botocore_conn_provider
        botocore_conn_provider.install(engines=True)
        url = os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
        token = os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]
        botocore_conn_provider.{undo}
        assert dict(os.environ) == before
        assert not os.path.exists(token)
        import urllib.request
        try:
            urllib.request.urlopen(url)
        except OSError as error:
            print(error)
    """
    env = {"AWS_PROFILE": "mine", "NO_PROXY": "a.example", "AWS_REGION": "us-east-1"}
    assert "refused" in world.run(code, world.assume(), env).stdout


def test_what_the_program_changed_since_is_not_put_back(world: World) -> None:
    code = """
        os.environ["AWS_REGION"] = "eu-north-1"
        os.environ["AWS_PROFILE"] = "later"
        botocore_conn_provider.uninstall()
        assert os.environ["AWS_REGION"] == "eu-north-1"
        assert os.environ["AWS_PROFILE"] == "later"
    """
    world.run(join(INSTALL, code), world.assume())


def test_end_of_the_program_leaves_no_file(world: World) -> None:
    code = "print(os.environ['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'])"
    ended = world.run(join(INSTALL, code), world.assume())
    assert not pathlib.Path(ended.stdout.strip()).parent.exists()


def test_engines_follow_to_another_connection(world: World, secrets: Secrets) -> None:
    other = json.loads(world.assume())
    other["login"] = secrets.new_access_key_id()
    code = """
        start_engine()
        botocore_conn_provider.install("other")
        start_engine()
    """
    env = {"AIRFLOW_CONN_OTHER": json.dumps(other)}
    world.run(join(INSTALL, code), world.assume(), env)
    assert world.exchanges == [world.key_id, other["login"]]


def test_many_threads_that_install_open_one_endpoint(world: World) -> None:
    code = """
        import threading, botocore_conn_provider
        seen = []
        def install():
            botocore_conn_provider.install(engines=True)
            seen.append(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
        threads = [threading.Thread(target=install) for _ in range(20)]
        for each in threads: each.start()
        for each in threads: each.join()
        assert len(set(seen)) == 1, seen
        names = [each.name for each in threading.enumerate()]
        assert names.count("botocore-conn-endpoint") == 1, names
        start_engine()
    """
    world.run(code, world.assume())
    assert len(world.signers) == 1


def test_token_is_in_no_argument_and_no_log(world: World) -> None:
    code = """
        import logging, io
        log = io.StringIO()
        logging.basicConfig(level=1, stream=log)
        import botocore_conn_provider
        botocore_conn_provider.install(engines=True)
        token = os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
        start_engine()
        assert token not in log.getvalue()
        assert "at 127.0.0.1:" in log.getvalue()
        url = os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
        assert url.rpartition("/")[2] not in log.getvalue()
    """
    world.run(code, world.assume())


def test_region_of_a_profile_is_left_to_engines(world: World, isolated: Any) -> None:
    (isolated / ".aws" / "config").write_text("[default]\nregion = eu-north-1\n")
    connection = json.loads(world.assume())
    del connection["extra"]["region_name"]
    code = "assert os.environ['AWS_REGION'] == 'eu-north-1'"
    world.run(join(INSTALL, code), json.dumps(connection))


def test_handler_of_a_log_that_fails_ends_no_endpoint(world: World) -> None:
    code = """
        import logging
        class Failing(logging.Handler):
            def emit(self, record): raise RuntimeError("no room")
        logging.raiseExceptions = True
        logging.getLogger().addHandler(Failing())
        start_engine()
        os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "still there"
        start_engine()
    """
    ended = world.run(join(INSTALL, code), "nonsense")
    assert ended.stdout.count("container-role") == 2
