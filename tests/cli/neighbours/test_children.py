"""The commands in a process of their own, beside packages that are really installed."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import CONNECTION, ROLE
from tests.cli.neighbours.packages import Package, install

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets

# Ends the process where anything is asked of the network, or a program is started.
WATCHED = """
import sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen"):
        sys.stderr.write(f"{event} {arguments}")
        raise SystemExit(99)

if sys.argv[1] == "lint":
    sys.addaudithook(refuse)
from botocore_conn_provider.cli.main import main
raise SystemExit(main(sys.argv[1:]))
"""
# Without awscrt, which botocore itself imports.
ENGINES = [
    Package(name, "1.0", module=name)
    for name in ("polars", "pyarrow", "obstore", "deltalake", "daft", "duckdb")
]


class Beside:
    """A machine with packages, a connection and STS."""

    def __init__(
        self, tmp_path: Path, aws: Aws, secrets: Secrets, leaks: Leaks
    ) -> None:
        self.packages = tmp_path / "packages"
        self.packages.mkdir()
        self.environ: dict[str, str] = {}
        self._leaks = leaks
        sts = {"sts": {"endpoint_url": aws.url}}
        document = {
            "conn_type": "aws",
            "login": secrets.new_access_key_id(),
            "password": secrets.new("key"),
            "extra": {
                "region_name": "eu-west-1",
                "role_arn": ROLE,
                "assume_role_kwargs": {"ExternalId": "abc"},
                "service_config": sts,
            },
        }
        self.connection = json.dumps(document)

    def run(self, *words: str) -> str:
        """Run a command that ends well, and return what it writes."""
        ended = subprocess.run(
            [sys.executable, "-c", WATCHED, *words],
            env={
                **os.environ,
                "PYTHONPATH": str(self.packages),
                CONNECTION: self.connection,
                **self.environ,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        self._leaks.check_text(ended.stdout + ended.stderr, place="a command")
        assert (ended.stderr, ended.returncode) == ("", 0), ended.stdout
        return ended.stdout

    def find(self, command: str) -> list[dict[str, Any]]:
        """Return what a command finds."""
        told: dict[str, Any] = json.loads(self.run(command, "--json"))
        if command == "lint":
            assert {each.pop("level") for each in told["remarks"]} <= {"neighbour"}
            return list(told["remarks"])
        (step,) = (each for each in told["hops"] if each["hop"] == "neighbours")
        assert [each["hop"] for each in told["hops"] if each["warnings"]] in (
            [],
            ["neighbours"],
        )
        assert step["good"]
        assert told["good"]
        assert told["hops"][-1]["hop"] == "caller identity"
        return list(step["warnings"])


@pytest.fixture
def beside(tmp_path: Path, aws: Aws, secrets: Secrets, leaks: Leaks) -> Beside:
    return Beside(tmp_path, aws, secrets, leaks)


@pytest.mark.parametrize("command", ["lint", "doctor"])
def test_engines_are_told_and_none_is_imported(command: str, beside: Beside) -> None:
    for package in ENGINES:
        install(beside.packages, package)

    found = beside.find(command)

    engines = [each for each in found if each["kind"] == "engine"]
    assert {each["name"] for each in engines} == {each.name for each in ENGINES}
    assert {each["version"] for each in engines} == {"1.0"}
    assert all(
        set(each) == {"kind", "name", "text", "fix", "version"} for each in engines
    )


def test_doctor_and_lint_tell_the_same(beside: Beside) -> None:
    for package in ENGINES:
        install(beside.packages, package)
    beside.environ = {"FSSPEC_S3_KEY": "x"}
    assert beside.find("doctor") == beside.find("lint") != []


def break_text(info: Path) -> None:
    (info / "METADATA").write_bytes(b"\xff\xfe\x00Name: \xc3\x28\n\xff")


def break_kind(info: Path) -> None:
    (info / "METADATA").unlink()
    (info / "METADATA").mkdir()


def break_whole(info: Path) -> None:
    for path in info.iterdir():
        path.unlink()


def break_link(info: Path) -> None:
    (info / "METADATA").unlink()
    (info / "METADATA").symlink_to(info / "METADATA")


def break_rights(info: Path) -> None:
    (info / "METADATA").chmod(0)
    info.chmod(stat.S_IXUSR)


def break_fields(info: Path) -> None:
    lines = [
        "Name: a",
        "Name: b",
        "Version: \x1b[31m\x00",
        "Requires-Dist: \x00 (((",
        "",
    ]
    (info / "METADATA").write_text("\n".join(lines))


BREAKS = [break_text, break_kind, break_whole, break_link, break_rights, break_fields]


@pytest.mark.parametrize("command", ["lint", "doctor"])
@pytest.mark.parametrize("how", BREAKS, ids=lambda how: how.__name__)
def test_broken_metadata_break_nothing(how: Any, command: str, beside: Beside) -> None:
    """Of packages that are looked at by name, of one that is not, and of an engine."""
    names = ("aiobotocore", "s3transfer", "boto3", "langchain-aws", "unheard-of")
    for name in names:
        install(beside.packages, Package(name, "1.0", ["botocore<1"]))
    for package in ENGINES:
        install(beside.packages, package._replace(version="1.0"))
    for info in beside.packages.glob("*.dist-info"):
        how(info)
    try:
        found = beside.find(command)
    finally:
        for info in beside.packages.glob("*.dist-info"):
            info.chmod(0o700)
    assert "pyarrow" in {each["name"] for each in found}
    assert "\x1b" not in json.dumps(found, ensure_ascii=False)


def test_directory_of_an_engines_name_is_no_engine(
    beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a checkout, or where a job keeps its data."""
    for name in ("polars", "duckdb", "lance"):
        (beside.packages / name).mkdir()
    monkeypatch.chdir(beside.packages)
    assert beside.find("lint") == []


def test_person_reads_warnings_and_the_way_goes_on(beside: Beside) -> None:
    install(beside.packages, ENGINES[1])
    lines = beside.run("doctor").splitlines()
    (at,) = (n for n, line in enumerate(lines) if line.startswith("! neighbours ("))
    assert lines[at + 1].startswith("    warning: pyarrow 1.0 takes its")
    assert lines[at + 2].startswith("    fix: ")
    assert lines[-2].startswith("✓ caller identity (")


@pytest.mark.parametrize("role", [True, False])
def test_engines_under_exec_have_the_connection(role: bool, beside: Beside) -> None:  # noqa: FBT001 - a case
    """By the endpoint, or by the keys of a user, which no endpoint can hand out."""
    install(beside.packages, ENGINES[1])
    if not role:
        document = json.loads(beside.connection)
        del document["extra"]["role_arn"], document["extra"]["assume_role_kwargs"]
        beside.connection = json.dumps(document)
    assert beside.find("lint") != []
    lint = (sys.executable, "-m", "botocore_conn_provider", "lint", "--json")
    assert json.loads(beside.run("exec", "--", *lint))["remarks"] == []


def test_strict_lint_does_not_fail_for_a_neighbour(beside: Beside) -> None:
    install(beside.packages, ENGINES[1])
    assert beside.run("lint", "--strict").startswith("neighbour: pyarrow 1.0")
