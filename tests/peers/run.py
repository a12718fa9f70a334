"""Run a suite of others' with the product active: `make test-peers SUITE=boto3`.

It runs three times: without the product, with the connection `aws://`, which names no
identity, and with static keys and a region. It must fail nowhere else than without the
product, but for the tests that `suites.json` lists, each under its reason. That file has
all that is special to a suite. The sources are a checkout of the installed version;
without one it is cloned.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SUITES = json.loads((HERE / "suites.json").read_text())
CONNECTIONS = {
    "none": "",
    "aws": "aws://",
    "keys": "aws://AKIAIOSFODNN7EXAMPLE:example@/?region_name={region}",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("sources", nargs="?", help="a checkout of its repository")
    parser.add_argument("--processes", default="2", help="how many run the tests")
    given = parser.parse_args()
    suite = SUITES[given.suite]
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        sources = given.sources or clone(given.suite, folder)
        take_files(suite["files"], Path(sources), folder / "suite")
        outcomes = {
            name: run_suite(folder, name, suite, processes=given.processes)
            for name in CONNECTIONS
        }
    flaws = [
        flaw
        for name, expected in suite["expected"].items()
        for flaw in compare(name, outcomes["none"], outcomes[name], expected)
    ]
    verdict = "No test fails that passes without the product."
    print("\n".join(flaws) or verdict)  # noqa: T201 - a program
    return 1 if flaws else 0


def clone(name: str, folder: Path) -> Path:
    """Return a checkout of the tag of the installed version."""
    place = folder / "sources"
    tag = ("--branch", importlib.metadata.version(name), "--depth", "1")
    repository = SUITES[name]["repository"]
    subprocess.run(["git", "clone", "--quiet", *tag, repository, place], check=True)  # noqa: S607 - the git of the PATH
    return place


def take_files(names: list[str], sources: Path, place: Path) -> None:
    """Copy the tests alone, so that the installed package is what they test."""
    for name in names:
        source, target = sources / name, place / name
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)


def run_suite(
    folder: Path, name: str, suite: dict[str, Any], *, processes: str
) -> dict[str, str]:
    """Return the outcome of each test with that connection."""
    print(f"== {suite['package']}, connection: {name}", flush=True)  # noqa: T201 - a program
    home = folder / f"home-{name}"
    home.mkdir()
    outcomes = folder / f"{name}.json"
    options = ("-q", "--tb=short", "-p", "no:cacheprovider", "--dist=loadfile")
    plugin = ("-p", "with_connection", f"--numprocesses={processes}")
    subprocess.run(
        [sys.executable, "-m", "pytest", *plugin, *options, *suite["arguments"]],
        cwd=folder / "suite",
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": str(HERE),
            "PEERS_CONNECTION": CONNECTIONS[name].format(region=suite["region"]),
            "PEERS_OUTCOMES": str(outcomes),
        },
        check=False,
    )
    found: dict[str, str] = json.loads(outcomes.read_text())
    if "passed" not in found.values():
        sys.exit("No test passed: see above.")
    return found


def compare(
    name: str,
    without: dict[str, str],
    with_product: dict[str, str],
    expected: dict[str, list[str]],
) -> list[str]:
    """Return what is not as it should be; `expected` has lists of tests by reason."""
    excused = {test for tests in expected.values() for test in tests}
    failed = {
        test
        for test, outcome in with_product.items()
        if outcome == "failed" and without.get(test) != "failed"
    }
    lost = without.keys() - with_product.keys()
    unknown = excused & with_product.keys() - failed
    return [
        *(f"{name}: fails: {test}" for test in sorted(failed - excused)),
        *(f"{name}: did not run: {test}" for test in sorted(lost)),
        *(f"{name}: no longer fails, take it out: {test}" for test in sorted(unknown)),
    ]


if __name__ == "__main__":
    sys.exit(main())
