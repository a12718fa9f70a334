from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.connection import environment as names
from botocore_conn_provider.startup import hook
from tests.child import UNMEASURED
from tests.startup.conftest import (
    AUTOLOAD,
    CONNECTION,
    IS_ARMED,
    UNUSED,
    USE,
    USED,
    Interpreter,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ARM = """
from botocore_conn_provider.startup.hook import arm
arm()
"""
MODULES = "import sys; print(*sorted(sys.modules))"
OURS = {
    "botocore_conn_provider",
    "botocore_conn_provider.startup",
    "botocore_conn_provider.startup.hook",
}


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    sys.meta_path[:] = [f for f in sys.meta_path if type(f) is not hook.BotocoreWatch]


def test_start_loads_the_hooks_modules_and_no_other(interpreter: Interpreter) -> None:
    bare = set(interpreter(MODULES, env=UNMEASURED).split())
    active = set(interpreter(MODULES, path=(AUTOLOAD,), env=UNMEASURED).split())
    assert active - bare - {"sitecustomize"} == OURS


def test_importing_botocore_loads_what_holds_forks_back_and_nothing_else_of_ours(
    interpreter: Interpreter,
) -> None:
    program = f"import botocore.session; {MODULES}"
    loaded = interpreter(program, path=(AUTOLOAD,)).split()
    ours = {name for name in loaded if name.startswith("botocore_conn")}
    assert ours == {*OURS, "botocore_conn_provider.unfinished_imports"}


def test_first_session_uses_the_connection(interpreter: Interpreter) -> None:
    assert interpreter(USE, path=(AUTOLOAD,)) == USED


@pytest.mark.parametrize(
    ("env", "wanted"),
    [
        ({}, False),
        ({"AIRFLOW_CONN_AWS_DEFAULT": " "}, False),
        ({"AIRFLOW_CONN_AWS_DEFAULT": "aws://"}, True),
        ({"AIRFLOW_CONN_AWS_DEFAULT": "broken"}, True),
        ({"BOTOCORE_CONN_ID": "aws_prod"}, True),
        ({"BOTOCORE_CONN_ID": " "}, False),
        ({"AIRFLOW_CONN_AWS_DEFAULT": "aws://", "BOTOCORE_CONN_DISABLE": "1"}, False),
        ({"AIRFLOW_CONN_AWS_DEFAULT": "aws://", "BOTOCORE_CONN_DISABLE": "0"}, True),
        ({"AIRFLOW_CONN_AWS_DEFAULT": "aws://", "BOTOCORE_CONN_DISABLE": ""}, True),
    ],
)
def test_hook_is_wanted_where_reading_finds_a_connection(
    env: dict[str, str],
    wanted: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert hook.is_wanted() is wanted
    found = names.name_connection(env)
    there = found.named_by is not None or names.find_text(env, found) is not None
    assert wanted is (there and not names.is_disabled(env))


@pytest.mark.parametrize(
    "env", [{"AIRFLOW_CONN_AWS_DEFAULT": ""}, {"BOTOCORE_CONN_DISABLE": "1"}]
)
def test_nothing_is_watched_where_it_is_not_wanted(
    interpreter: Interpreter, env: dict[str, str]
) -> None:
    assert interpreter(IS_ARMED, path=(AUTOLOAD,), env=env) == "0"
    assert interpreter(USE, path=(AUTOLOAD,), env=env) == UNUSED


def test_twice_is_once(interpreter: Interpreter) -> None:
    assert interpreter(ARM + ARM + IS_ARMED, path=(AUTOLOAD,)) == "1"
    assert interpreter(ARM + ARM + USE, path=(AUTOLOAD,)) == USED


@pytest.mark.parametrize("first", ["import botocore", "import botocore.session"])
def test_botocore_imported_before_is_reached(
    interpreter: Interpreter, first: str
) -> None:
    assert interpreter(first + ARM + USE) == USED


def test_session_made_before_is_reached(interpreter: Interpreter) -> None:
    program = """
    import botocore.session
    session = botocore.session.Session()
    from botocore_conn_provider.startup.hook import arm
    arm()
    session.create_client("s3")
    print(session.get_credentials().access_key, session.get_config_variable("region"))
    """
    assert interpreter(program) == USED


def test_half_imported_botocore_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    half = type(sys)("botocore")
    monkeypatch.setitem(sys.modules, "botocore", half)
    monkeypatch.delitem(sys.modules, "botocore.session")
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "aws://")
    hook.arm()
    assert hook.is_armed()


def test_reloading_forgets_nothing(interpreter: Interpreter) -> None:
    program = "import importlib, botocore, botocore.session\n" + USE
    again = "importlib.reload(botocore)\nimportlib.reload(botocore.session)\n" + USE
    shown = interpreter(program + again, path=(AUTOLOAD,))
    assert shown.splitlines() == [USED, USED]


def test_lazily_loaded_botocore_is_reached(interpreter: Interpreter) -> None:
    program = """
    import importlib.util, sys
    spec = importlib.util.find_spec("botocore")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules["botocore"] = module
    spec.loader.exec_module(module)
    """
    shown = interpreter("if True:" + program + USE, path=(AUTOLOAD,))
    assert shown == USED


def test_first_sessions_in_many_threads_are_all_fitted(
    interpreter: Interpreter,
) -> None:
    program = """
    import threading
    together = threading.Barrier(16)
    keys = []
    def use():
        together.wait()
        import botocore.session
        session = botocore.session.Session()
        keys.append(session.get_credentials().access_key)
    threads = [threading.Thread(target=use) for _ in range(16)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    print(len(keys), *set(keys))
    """
    assert interpreter(program, path=(AUTOLOAD,)) == f"16 {USED.split()[0]}"


def test_program_that_installs_or_uninstalls_decides(
    interpreter: Interpreter,
) -> None:
    uninstall = "import botocore_conn_provider as b; b.uninstall()"
    assert interpreter(uninstall + USE, path=(AUTOLOAD,)) == UNUSED
    install = "import botocore_conn_provider as b; b.install('aws_default')"
    assert interpreter(install + USE, path=(AUTOLOAD,)) == USED


@pytest.mark.parametrize("text", ["broken", "aws://half@", "{", "aws://a:b@/#x"])
def test_broken_connection_breaks_no_start_and_is_refused_at_the_first_client(
    interpreter: Interpreter, text: str
) -> None:
    env = {"AIRFLOW_CONN_AWS_DEFAULT": text}
    assert interpreter("print('up')", path=(AUTOLOAD,), env=env) == "up"
    refused = interpreter(USE, path=(AUTOLOAD,), env=env)
    assert "InvalidConnectionError: Connection 'aws_default'" in refused


def test_missing_named_connection_is_refused_at_the_first_client(
    interpreter: Interpreter,
) -> None:
    env = {"BOTOCORE_CONN_ID": "aws_prod"}
    assert "ConnectionNotFoundError" in interpreter(USE, path=(AUTOLOAD,), env=env)


def test_absent_botocore_is_absent_as_ever(interpreter: Interpreter) -> None:
    program = "import sys; sys.path.clear()\n"
    program += "try: import botocore\nexcept ModuleNotFoundError as e: print(e)"
    assert interpreter(program, path=(AUTOLOAD,)) == "No module named 'botocore'"


def test_loader_and_source_are_those_of_ever(interpreter: Interpreter) -> None:
    program = """
    import inspect, pkgutil, botocore
    print(type(botocore.__loader__).__name__, "initializer" in inspect.getsource(botocore))
    print(len(pkgutil.get_data("botocore", "cacert.pem")) > 0)
    """
    shown = interpreter(program, path=(AUTOLOAD,))
    assert shown.splitlines() == ["SourceFileLoader True", "True"]


SLOTTED = """
import sys
class Loader:
    __slots__ = ("inner",)
    def __init__(self, inner):
        self.inner = inner
    def create_module(self, spec):
        return self.inner.create_module(spec)
    def exec_module(self, module):
        self.inner.exec_module(module)
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name != "botocore":
            return None
        others = [f for f in sys.meta_path if f is not self]
        spec = next(filter(None, (f.find_spec(name, path, target) for f in others)))
        spec.loader = Loader(spec.loader)
        return spec
"""
WRAPT = """
import wrapt.importer
wrapt.importer.register_post_import_hook(lambda module: print("hooked"), "botocore")
"""


@pytest.mark.parametrize("place", ["insert(0, ", "insert(1, ", "append("])
def test_loader_that_takes_no_attributes_loads_botocore(
    interpreter: Interpreter, place: str
) -> None:
    program = f"{SLOTTED}\nsys.meta_path.{place}Finder())\n"
    assert interpreter(program + USE, path=(AUTOLOAD,)) == USED


@pytest.mark.parametrize("first", [WRAPT, ARM + WRAPT, WRAPT + ARM])
def test_post_import_hooks_of_others_run_once(
    interpreter: Interpreter, first: str
) -> None:
    path = () if "arm()" in first else (AUTOLOAD,)
    shown = interpreter(first + USE, path=path)
    assert shown.splitlines() == ["hooked", USED]


RELOAD = "import importlib, botocore; importlib.reload(botocore)\n"


@pytest.mark.parametrize(
    "first", ["", "import botocore.session\n", "import botocore.session\n" + USE]
)
def test_sessions_after_a_reload_are_fitted_when_they_are_made(
    interpreter: Interpreter, first: str
) -> None:
    # The environment of a session is that of its making, not of its first client.
    program = """
    import botocore.session, os
    session = botocore.session.Session()
    os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = "aws://AKIAOTHER:other@"
    print(session.get_credentials().access_key, session.get_config_variable("region"))
    print(type(botocore.__loader__).__name__, type(botocore.__spec__.loader).__name__)
    """
    shown = interpreter(first + RELOAD + textwrap.dedent(program), path=(AUTOLOAD,))
    expected = [USED, "SourceFileLoader SourceFileLoader"]
    assert shown.splitlines()[-2:] == expected


def test_finder_that_is_broken_breaks_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> bool:
        raise RuntimeError

    monkeypatch.setattr(hook, "is_wanted", fail)
    hook.arm()
    assert not hook.is_armed()


def test_finders_of_the_old_kind_are_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(*next(iter(CONNECTION.items())))
    monkeypatch.setattr(sys, "meta_path", [object()])
    watch = hook.BotocoreWatch()
    assert watch.find_spec("botocore") is None
    assert watch.find_spec("json") is None
