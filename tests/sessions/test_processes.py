"""What can only be seen from a process of its own: imports, forks, spawns."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.sessions.wire import Case, World

if TYPE_CHECKING:
    from tests.child import Children

KEYED = {"login": "@KEY@", "password": "@SECRET@"}
ROLE = "arn:aws:iam::123456789012:role/reader"
ASSUMING = {**KEYED, "extra": {"role_arn": ROLE}}

IMPORTED = """
    import sys
    import boto3
    before = set(sys.modules)
    import botocore_conn_provider
    botocore_conn_provider.install()
    import json
    print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_install_imports_nothing_foreign(run_python: Children) -> None:
    ended = run_python(IMPORTED)
    assert ended.returncode == 0, ended.stderr
    new = json.loads(ended.stdout)
    roots = {name.partition(".")[0] for name in new}
    assert roots - sys.stdlib_module_names == {"botocore_conn_provider"}
    ours = {name for name in new if name.startswith("botocore_conn_provider.")}
    assert ours == {
        "botocore_conn_provider.connection",
        "botocore_conn_provider.connection.environment",
        "botocore_conn_provider.errors",
        "botocore_conn_provider.exchange",
        "botocore_conn_provider.redaction",
        "botocore_conn_provider.sessions.defaults",
        "botocore_conn_provider.sessions.bearer",
        "botocore_conn_provider.sessions.client_creation",
        "botocore_conn_provider.sessions.given",
        "botocore_conn_provider.sessions",
        "botocore_conn_provider.exchange.session_view",
        "botocore_conn_provider.exchange.session_reading",
        "botocore_conn_provider.sessions.binding",
        "botocore_conn_provider.sessions.fitting",
        "botocore_conn_provider.sessions.installation",
        "botocore_conn_provider.file_content",
        "botocore_conn_provider.fork",
        "botocore_conn_provider.unfinished_imports",
        "botocore_conn_provider.sessions.resolver",
        "botocore_conn_provider.secret",
        "botocore_conn_provider.tracebacks",
        "botocore_conn_provider.value",
    }


def test_install_leaves_the_import_of_the_hosts_to_the_program(
    run_python: Children,
) -> None:
    # Where these are imported decides how deep the stack is, and so how long the
    # regular expressions of urllib3 take: see `sessions.installation`.
    ended = run_python(
        """
        import sys
        import botocore_conn_provider
        botocore_conn_provider.install()
        hosts = ("botocore.session", "urllib3", "boto3")
        print([name for name in hosts if name in sys.modules])
        import boto3
        boto3.Session()
        create_client = sys.modules["botocore.session"].Session.create_client
        print(hasattr(create_client, "__wrapped__"))  # older ones are reached from now on
        """
    )
    assert ended.stdout.splitlines() == ["[]", "True"], ended.stderr


def test_broken_connection_never_uses_ambient_keys(
    run_python: Children, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {**KEYED, "extra": {"role_arn": ""}}
    world.arrange(Case(connection=broken), monkeypatch)
    ended = run_python(
        """
        import boto3, botocore_conn_provider
        botocore_conn_provider.install()
        made = lambda name: boto3.Session().client(name)
        for make in (boto3.client, boto3.resource, made):
            try:
                make("s3").list_buckets()
            except botocore_conn_provider.InvalidConnectionError as error:
                print(error.problems[0].field)
        """
    )
    assert ended.stdout.split() == ["role_arn"] * 3, ended.stderr
    assert world.aws.requests == []


def test_child_forked_while_a_thread_makes_a_client_works(
    run_python: Children, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.arrange(Case(connection=ASSUMING), monkeypatch)
    ended = run_python(
        """
        import os, threading, warnings
        import boto3, botocore_conn_provider
        warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads
        botocore_conn_provider.install()
        session = boto3.Session()
        inside, go_on = threading.Event(), threading.Event()
        def hold(**_):
            if threading.current_thread() is maker:
                inside.set()
                go_on.wait(60)
        session.events.register("creating-client-class", hold)
        maker = threading.Thread(target=session.client, args=("s3",))
        maker.start()
        inside.wait(60)
        child = os.fork()
        if child == 0:
            session.client("sts").get_caller_identity()
            os._exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        go_on.set()
        maker.join()
        """
    )
    assert ended.stdout == "7\n", ended.stderr
    actions = [request.action for request in world.aws.requests]
    assert actions == ["AssumeRole", "GetCallerIdentity"]


INSTALL = "import botocore_conn_provider; botocore_conn_provider.install()"
ARM = "from botocore_conn_provider.startup import hook; hook.arm()"
FORKED_AMID_AN_IMPORT = """
    import os, signal, sys, threading, time, warnings
    warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads
    {activate}
    import botocore.session
    class Slow:
        def find_spec(self, name, *_):
            if name == "botocore_conn_provider.{module}":
                inside.set()
                go_on.wait(60)
                time.sleep(0.2)  # a fork that does not wait for the import is over
    inside, go_on = threading.Event(), threading.Event()
    sys.meta_path.insert(0, Slow())
    make = lambda: botocore.session.Session().create_client("sts", "eu-west-1")
    maker = threading.Thread(target=make)
    maker.start()
    inside.wait(60)
    # Called before the hooks that were registered earlier.
    os.register_at_fork(before=go_on.set)
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        make()
        os._exit(7)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    maker.join()
"""


@pytest.mark.parametrize(
    ("activate", "module"),
    [
        (INSTALL, "sessions.fitting"),
        (INSTALL, "connection.record"),
        (ARM, "sessions.installation"),
    ],
)
def test_child_forked_while_a_thread_imports_a_module_of_ours_makes_a_client(
    run_python: Children, activate: str, module: str
) -> None:
    program = FORKED_AMID_AN_IMPORT.format(activate=activate, module=module)
    text = "aws://AKIAEXAMPLE:not-secret@"
    ended = run_python(program, env={"AIRFLOW_CONN_AWS_DEFAULT": text})
    assert ended.stdout == "7\n", ended.stderr


def test_spawned_child_makes_the_credentials_anew(
    run_python: Children, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.arrange(Case(connection=KEYED), monkeypatch)
    ended = run_python(
        """
        import pickle, subprocess, sys
        import botocore_conn_provider
        credentials = botocore_conn_provider.session("aws_default").get_credentials()
        child = "import pickle, sys; print(pickle.load(sys.stdin.buffer).method)"
        subprocess.run(
            [sys.executable, "-c", child], input=pickle.dumps(credentials), check=True
        )
        """
    )
    assert ended.stdout == "conn-static\n", ended.stderr
