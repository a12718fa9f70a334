"""Run botocore's unit suite with the product active: `make test-peers`.

The suite runs three times: without the product, with the connection `aws://`, which
names no identity, and with static keys and a region. It must fail nowhere else than
without the product, but for the tests of `expected.json`, each with its reason. The
sources are a checkout of the installed botocore's version; without one it is cloned.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import botocore

HERE = Path(__file__).parent
REPOSITORY = "https://github.com/boto/botocore"
CONNECTIONS = {
    "none": "",
    "aws": "aws://",
    "keys": "aws://AKIAIOSFODNN7EXAMPLE:example@/?region_name=eu-central-1",
}
SUITE = "tests/unit"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="?", help="a checkout of botocore")
    parser.add_argument("--processes", default="2", help="how many run the tests")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        take_tests(Path(given.sources or clone(folder)), folder / "suite")
        outcomes = {
            name: run_suite(folder, name, processes=given.processes)
            for name in CONNECTIONS
        }
    expected = json.loads((HERE / "expected.json").read_text())
    flaws = [
        flaw
        for name in CONNECTIONS
        if name != "none"
        for flaw in compare(name, outcomes["none"], outcomes[name], expected[name])
    ]
    verdict = "No test fails that passes without the product."
    print("\n".join(flaws) or verdict)  # noqa: T201
    return 1 if flaws else 0


def clone(folder: Path) -> Path:
    """Return a checkout of the tag of the installed version."""
    place = folder / "sources"
    tag = ("--branch", botocore.__version__, "--depth", "1")
    subprocess.run(["git", "clone", "--quiet", *tag, REPOSITORY, place], check=True)  # noqa: S607
    return place


def take_tests(sources: Path, place: Path) -> None:
    """Copy the tests alone, so that the installed botocore is what they test."""
    text = (sources / "botocore" / "__init__.py").read_text()
    if f"__version__ = '{botocore.__version__}'" not in text:
        sys.exit(
            f"{sources} is not botocore {botocore.__version__}, which is installed."
        )
    shutil.copytree(sources / "tests", place / "tests")
    shutil.copy(sources / "pyproject.toml", place)


def run_suite(folder: Path, name: str, *, processes: str) -> dict[str, str]:
    """Return the outcome of each test with that connection."""
    print(f"== botocore's unit suite, connection: {name}", flush=True)  # noqa: T201
    home = folder / f"home-{name}"
    home.mkdir()
    outcomes = folder / f"{name}.json"
    options = ("-q", "--tb=short", "-p", "no:cacheprovider", "--dist=loadfile")
    plugin = ("-p", "with_connection", f"--numprocesses={processes}")
    subprocess.run(
        [sys.executable, "-m", "pytest", *plugin, *options, SUITE],
        cwd=folder / "suite",
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": str(HERE),
            "PEERS_CONNECTION": CONNECTIONS[name],
            "PEERS_OUTCOMES": str(outcomes),
        },
        check=False,
    )
    found: dict[str, str] = json.loads(outcomes.read_text())
    if len(found) < 1000:  # botocore has some thousands
        sys.exit(f"Only {len(found)} tests ran: see above.")
    return found


def compare(
    name: str,
    without: dict[str, str],
    with_product: dict[str, str],
    expected: dict[str, str],
) -> list[str]:
    """Return what is not as it should be."""
    failed = {
        test
        for test, outcome in with_product.items()
        if outcome == "failed" and without.get(test) != "failed"
    }
    lost = without.keys() - with_product.keys()
    unknown = expected.keys() & with_product.keys() - failed
    return [
        *(f"{name}: fails: {test}" for test in sorted(failed - expected.keys())),
        *(f"{name}: did not run: {test}" for test in sorted(lost)),
        *(f"{name}: no longer fails, take it out: {test}" for test in sorted(unknown)),
    ]


if __name__ == "__main__":
    sys.exit(main())
