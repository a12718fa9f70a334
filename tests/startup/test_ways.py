from __future__ import annotations

import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from tests.child import UNMEASURED
from tests.startup.conftest import (
    AUTOLOAD,
    IS_ARMED,
    PACKAGE,
    UNUSED,
    USE,
    USED,
    Interpreter,
    find_site,
)

COMMAND = ("-m", "botocore_conn_provider")
WHERE = "import botocore_conn_provider as b; print(b.__file__)\n"


def command(python: Interpreter, *words: str) -> str:
    return python.run([str(python.python), *COMMAND, *words])


@pytest.mark.parametrize("flag", ["-I", "-E", "-S"])
def test_pythonpath_stays_out_of_the_way_where_python_ignores_it(
    interpreter: Interpreter, flag: str
) -> None:
    assert interpreter(IS_ARMED, flag, path=(AUTOLOAD,)) == "0"


@pytest.mark.parametrize(("flag", "found"), [("-I", USED), ("-E", USED)])
def test_site_files_work_in_isolated_interpreters(
    environment: Interpreter, flag: str, found: str
) -> None:
    assert environment(USE, flag) == UNUSED
    command(environment, "activate")
    assert environment(USE, flag) == found
    assert environment(IS_ARMED, "-S") == "0"


def test_both_ways_together_are_one(environment: Interpreter) -> None:
    command(environment, "activate")
    assert environment(IS_ARMED, path=(AUTOLOAD,)) == "1"
    assert environment(USE, path=(AUTOLOAD,)) == USED


def test_spawned_processes_are_active(interpreter: Interpreter) -> None:
    program = interpreter.directory / "program.py"
    program.write_text(
        "import multiprocessing\n"
        "def use():\n"
        + "".join(f"    {line}\n" for line in USE.strip().splitlines())
        + "if __name__ == '__main__':\n"
        "    child = multiprocessing.get_context('spawn').Process(target=use)\n"
        "    child.start()\n"
        "    child.join()\n"
    )
    shown = interpreter.run([sys.executable, str(program)], path=(AUTOLOAD,))
    assert shown == USED


def test_zipped_install_works(interpreter: Interpreter) -> None:
    archive = interpreter.directory / "ours.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for source in PACKAGE.rglob("*.py"):
            file.write(source, source.relative_to(PACKAGE.parent))
    path = (archive, archive / AUTOLOAD.relative_to(PACKAGE.parent))
    shown = interpreter(WHERE + USE, path=path, env=UNMEASURED).splitlines()
    assert shown == [f"{archive}/botocore_conn_provider/__init__.py", USED]


def test_target_install_works(interpreter: Interpreter) -> None:
    target = interpreter.directory / "target"
    shutil.copytree(PACKAGE, target / PACKAGE.name)
    path = (target, target / AUTOLOAD.relative_to(PACKAGE.parent))
    shown = interpreter(WHERE + USE, path=path, env=UNMEASURED).splitlines()
    assert shown == [f"{target}/botocore_conn_provider/__init__.py", USED]


@pytest.fixture
def shadowed(interpreter: Interpreter) -> Path:
    directory = interpreter.directory / "theirs"
    directory.mkdir()
    return directory / "sitecustomize.py"


def test_shadowed_sitecustomize_runs_and_is_the_module(
    interpreter: Interpreter, shadowed: Path
) -> None:
    shadowed.write_text("import sys; sys.path.append('added'); print('theirs')\n")
    program = "import sys, sitecustomize as s; print(s.__file__, 'added' in sys.path)\n"
    shown = interpreter(program + USE, path=(AUTOLOAD, shadowed.parent)).splitlines()
    assert shown == ["theirs", f"{shadowed} True", USED]


@pytest.mark.parametrize(
    "text",
    [
        "sys.path.insert(0, 'first')",
        "sys.path.append('last')",
        "sys.path.remove(sys.path[-1])",
        "sys.path.reverse()",
        "sys.path = ['own', *sys.path]",
        "sys.path.append(sys.path[0])",
    ],
)
def test_shadowed_sitecustomize_finds_and_leaves_the_path_as_without_us(
    interpreter: Interpreter, shadowed: Path, text: str
) -> None:
    shadowed.write_text(f"import sys\nprint(sys.path)\n{text}\n")
    program = f"import sys; print([e for e in sys.path if e != {str(AUTOLOAD)!r}])"
    alone = interpreter(program, path=(shadowed.parent,))
    assert interpreter(program, path=(AUTOLOAD, shadowed.parent)) == alone


def test_our_directory_stays_on_the_path_for_children_that_are_given_it(
    interpreter: Interpreter, shadowed: Path
) -> None:
    shadowed.write_text("")
    program = "import sys; print(sys.path[1])"
    shown = interpreter(program, path=(AUTOLOAD, shadowed.parent))
    assert shown == str(AUTOLOAD)


def test_error_of_a_shadowed_sitecustomize_shows_as_without_us(
    interpreter: Interpreter, shadowed: Path
) -> None:
    for text in ("raise ValueError('theirs')", "import not_there"):
        shadowed.write_text(text)
        alone = interpreter("print('up')", path=(shadowed.parent,))
        beside = interpreter("print('up')", path=(AUTOLOAD, shadowed.parent))
        assert beside == alone
        assert beside.endswith("up")


def test_shadowing_sitecustomize_needs_one_line_of_ours(
    interpreter: Interpreter, shadowed: Path
) -> None:
    shadowed.write_text("from botocore_conn_provider.startup.hook import arm; arm()\n")
    assert interpreter(USE, path=(shadowed.parent,)) == USED


def test_package_that_is_gone_leaves_a_silent_start(environment: Interpreter) -> None:
    command(environment, "activate")
    site = find_site(environment)
    (site / "a.pth").unlink()
    assert environment("print('up')") == "up"


INACTIVE = (
    "botocore-conn-provider: {} is set, and {} does not use it, because it cannot import"
    " botocore_conn_provider ({}). Install botocore-conn-provider there, or set"
    " BOTOCORE_CONN_QUIET=1 to be silent about it.\nup"
)


@pytest.fixture
def lacking(environment: Interpreter) -> tuple[Interpreter, Path]:
    """An environment without the package, and the autoload directory of another."""
    site = find_site(environment)
    (site / "a.pth").unlink()
    return environment, Path(shutil.copytree(AUTOLOAD, site / "x"))


def test_pythonpath_says_where_a_python_lacks_the_package(
    lacking: tuple[Interpreter, Path],
) -> None:
    python, autoload = lacking
    shown = python("print('up')", path=(autoload,))
    found = ("AIRFLOW_CONN_AWS_DEFAULT", python.python, "ModuleNotFoundError")
    assert shown == INACTIVE.format(*found)
    named = {"AIRFLOW_CONN_AWS_DEFAULT": None, "BOTOCORE_CONN_ID": "aws_prod"}
    shown = python("print('up')", path=(autoload,), env=named)
    assert shown.startswith("botocore-conn-provider: BOTOCORE_CONN_ID is set")


def test_package_that_is_broken_is_said_too(lacking: tuple[Interpreter, Path]) -> None:
    python, autoload = lacking
    package = autoload / "botocore_conn_provider"
    package.mkdir()
    (package / "__init__.py").write_text("syntax error")
    shown = python("print('up')", path=(autoload,))
    found = ("AIRFLOW_CONN_AWS_DEFAULT", python.python, "SyntaxError")
    assert shown == INACTIVE.format(*found)


@pytest.mark.parametrize(
    "env",
    [
        {"AIRFLOW_CONN_AWS_DEFAULT": " "},
        {"BOTOCORE_CONN_DISABLE": "1"},
        {"BOTOCORE_CONN_QUIET": "1"},
    ],
)
def test_nothing_is_said_where_nothing_is_lost_or_it_is_switched_off(
    env: dict[str, str], lacking: tuple[Interpreter, Path]
) -> None:
    python, autoload = lacking
    assert python("print('up')", path=(autoload,), env=env) == "up"
    off = {"BOTOCORE_CONN_QUIET": "0"}
    assert python("print('up')", path=(autoload,), env=off) != "up"


def test_closed_standard_error_breaks_no_start(
    lacking: tuple[Interpreter, Path],
) -> None:
    python, autoload = lacking
    command = ["/bin/sh", "-c", f"exec {python.python} -c 'print(1)' 2>&-"]
    assert python.run(command, path=(autoload,)) == "1"


def test_opentelemetry_and_ours_are_both_active(interpreter: Interpreter) -> None:
    instrumented = "import opentelemetry.instrumentation.auto_instrumentation as a\n"
    directory = Path(
        interpreter(instrumented + "import os; print(os.path.dirname(a.__file__))")
    )
    env = {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}
    env["OTEL_LOGS_EXPORTER"] = "none"
    theirs = "import sys; print('opentelemetry.sdk.trace' in sys.modules)\n"
    shown = interpreter(theirs + USE, path=(AUTOLOAD, directory), env=env)
    assert shown.splitlines() == ["True", USED]


def test_opentelemetry_instrument_and_site_files_are_both_active(
    environment: Interpreter,
) -> None:
    command(environment, "activate")
    theirs = "import sys; print('opentelemetry.sdk.trace' in sys.modules)\n"
    runner = "from opentelemetry.instrumentation.auto_instrumentation import run; run()"
    shown = environment.run(
        [
            *(str(environment.python), "-c", runner),
            *("--traces_exporter", "none", "--metrics_exporter", "none"),
            *("--logs_exporter", "none"),
            *(str(environment.python), "-c", theirs + USE),
        ]
    )
    assert shown.splitlines() == ["True", USED]


def test_coverage_of_subprocesses_and_ours_are_both_active(
    interpreter: Interpreter,
) -> None:
    settings = interpreter.directory / "settings"
    settings.write_text("[run]\nparallel = true\ndata_file = measured\n")
    program = interpreter.directory / "program.py"
    program.write_text(USE)
    shown = interpreter.run(
        [sys.executable, str(program)],
        path=(AUTOLOAD,),
        env={**UNMEASURED, "COVERAGE_PROCESS_START": str(settings)},
    )
    assert shown == USED
    assert list(interpreter.directory.glob("measured.*"))
