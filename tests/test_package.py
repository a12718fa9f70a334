"""What is installed: the tests see the checkout, and what is built from it is whole."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import botocore_conn_provider
from tests.startup.conftest import CONNECTION, IS_ARMED, USE, USED

if TYPE_CHECKING:
    from tests.child import Children

PACKAGE = "botocore-conn-provider"
CHECKOUT = Path(__file__).parent.parent
# What a build reads. Not the whole checkout: environments lie in it.
SOURCES = (
    "botocore_conn_provider",
    "setup.cfg",
    "pyproject.toml",
    "README.md",
    "LICENSE",
)
BESIDE_MODULES = {
    "botocore_conn_provider/py.typed",
    "botocore_conn_provider/startup/autoload/sitecustomize.py",
    "botocore_conn_provider/cli/whoami/probes/probe_node.cjs",
}
FOR_DEVELOPERS = {
    "dev",
    "test",
    *("test-engines", "test-fleet", "test-kerberos", "test-signers", "test-tools"),
}
COMMAND = "botocore-conn = botocore_conn_provider.cli.main:main"


def test_the_checkout_is_what_is_tested() -> None:
    source = Path(botocore_conn_provider.__file__)
    assert source.parent.parent == CHECKOUT, "run `pip install -e '.[dev]'`"


def list_wanted() -> set[str]:
    """Return every file of the package that must be in what is built."""
    modules = (CHECKOUT / "botocore_conn_provider").rglob("*.py")
    return BESIDE_MODULES | {str(path.relative_to(CHECKOUT)) for path in modules}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build both distributions from a copy, the wheel from the source distribution."""
    copy = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        source = CHECKOUT / name
        if source.is_dir():
            leave_out = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, copy / name, ignore=leave_out)
        else:
            shutil.copy(source, copy)
    ended = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", copy / "dist"],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return copy / "dist"


@pytest.fixture(scope="session")
def wheel(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay the wheel out in a directory, as an installer does."""
    (path,) = built.glob("*.whl")
    place = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(place)  # noqa: S202 - built a moment ago
    return place


def test_wheel_holds_every_module_and_nothing_else(wheel: Path) -> None:
    held = {str(path.relative_to(wheel)) for path in wheel.rglob("*") if path.is_file()}
    assert {name for name in held if ".dist-info/" not in name} == list_wanted()


def test_source_distribution_holds_what_the_wheel_is_built_from(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        *list_wanted(),
        "setup.cfg",
        "pyproject.toml",
        "README.md",
        "LICENSE",
    } <= held


def test_wheel_says_its_version_and_its_command(wheel: Path) -> None:
    (told,) = wheel.glob("*.dist-info")
    (metadata,) = importlib.metadata.distributions(path=[str(wheel)])
    assert metadata.version == botocore_conn_provider.__version__
    assert COMMAND in (told / "entry_points.txt").read_text()


def test_wheel_works_where_it_is_laid_out(wheel: Path, run_python: Children) -> None:
    autoload = wheel / "botocore_conn_provider" / "startup" / "autoload"
    path = os.pathsep.join([str(autoload), str(wheel)])
    where = "import botocore_conn_provider as ours; print(ours.__file__)"
    ended = run_python(IS_ARMED + USE + where, env={"PYTHONPATH": path, **CONNECTION})
    armed, used, place = ended.stdout.splitlines()
    assert (armed, used, ended.stderr) == ("1", USED, "")
    assert Path(place).parent.parent == wheel


def test_bare_install_needs_botocore_and_boto3_only() -> None:
    required = importlib.metadata.requires(PACKAGE) or []
    bare = sorted(line for line in required if "extra ==" not in line)
    assert bare == ["boto3>=1.34.0", "botocore>=1.34.0"]


def test_all_extra_is_the_sum_of_those_for_users() -> None:
    required = importlib.metadata.requires(PACKAGE) or []
    summed = [line for line in required if line.endswith(('extra == "all"', "'all'"))]
    assert len(summed) == 1
    listed = summed[0].partition("[")[2].partition("]")[0].split(",")
    extras = set(importlib.metadata.metadata(PACKAGE).get_all("Provides-Extra") or ())
    assert set(listed) == extras - {"all"} - FOR_DEVELOPERS
