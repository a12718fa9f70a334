"""What is installed: the tests must see the wheel, and the wheel must be whole."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import botocore_conn_provider

PACKAGE = "botocore-conn-provider"
CHECKOUT = Path(__file__).parent.parent


def test_the_installed_wheel_is_what_is_tested() -> None:
    source = Path(botocore_conn_provider.__file__)
    assert source.parent.parent != CHECKOUT, "run `make test`: it installs the wheel"


def test_wheel_holds_every_module_and_the_typing_marker() -> None:
    installed = {str(path) for path in importlib.metadata.files(PACKAGE) or ()}
    here = CHECKOUT / "botocore_conn_provider"
    wanted = {str(path.relative_to(CHECKOUT)) for path in here.rglob("*.py")}
    assert {*wanted, "botocore_conn_provider/py.typed"} <= installed


def test_bare_install_needs_botocore_and_boto3_only() -> None:
    required = importlib.metadata.requires(PACKAGE) or []
    bare = sorted(line for line in required if "extra ==" not in line)
    assert bare == ["boto3>=1.34.0", "botocore>=1.34.0"]


def test_all_extra_is_the_sum_of_the_others() -> None:
    required = importlib.metadata.requires(PACKAGE) or []
    summed = [line for line in required if line.endswith(('extra == "all"', "'all'"))]
    assert len(summed) == 1
    listed = summed[0].partition("[")[2].partition("]")[0].split(",")
    extras = set(importlib.metadata.metadata(PACKAGE).get_all("Provides-Extra") or ())
    assert set(listed) == extras - {"all"}
