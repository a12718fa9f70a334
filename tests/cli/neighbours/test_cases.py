"""What stands beside the connection is told, and nothing else: the cases are data.

A case has the connection, the packages, variables and files around it, and all that is
to be found, with a piece of what is to be said.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import CONNECTION
from tests.cli.neighbours.packages import Package, install

if TYPE_CHECKING:
    from tests.cli.conftest import Command
    from tests.leaks import Secrets

CASES = Path(__file__).parents[2] / "cases" / "neighbours"
HOSTS = ("boto3", "botocore", "s3transfer")
NAMES = sorted(path.stem for path in CASES.iterdir())


@pytest.fixture
def case(
    request: pytest.FixtureRequest,
    isolated: Path,
    tmp_path: Path,
    secrets: Secrets,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, Any]:
    """Set up a case, and return it."""
    text = (CASES / f"{request.param}.json").read_text(encoding="utf-8")
    text = text.replace("@KEY_ID@", secrets.new_access_key_id())
    case: dict[str, Any] = json.loads(text.replace("@SECRET@", secrets.new("secret")))
    packages = tmp_path / "packages"
    packages.mkdir()
    given = [Package(**package) for package in case.get("packages", ())]
    named = {package.name for package in given}
    # Those of this environment pin each other, and are in nobody's case.
    usual = [Package(name, "1.44.8") for name in HOSTS if name not in named]
    for package in (*given, *usual):
        install(packages, package)
    monkeypatch.syspath_prepend(packages)
    for name, value in case.get("environ", {}).items():
        monkeypatch.setenv(name, value)
    files = {f".aws/{n}": case[n] for n in ("config", "credentials") if n in case}
    for name, content in {**files, **case.get("home", {})}.items():
        path = isolated / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    monkeypatch.setenv(CONNECTION, json.dumps(case["connection"]))
    return case


@pytest.mark.parametrize("case", NAMES, indirect=True)
def test_what_is_told_is_what_is_there(case: dict[str, Any], command: Command) -> None:
    said = command("lint", "--json", "--strict")

    remarks = json.loads(said.out)["remarks"]
    assert [remark["level"] for remark in remarks] == ["neighbour"] * len(case["found"])
    told = [(remark["kind"], remark["name"]) for remark in remarks]
    assert told == [(each["kind"], each["name"]) for each in case["found"]]
    for remark, each in zip(remarks, case["found"], strict=True):
        assert each["text"] in remark["text"]
        assert each["fix"] in remark["fix"]
    assert said.code == 0
