"""Write the table of docs/engines.md: as whom each engine signs, as `whoami` sees it.

Run from the checkout, where `make test-engines` has installed the engines:
`.nox/engines/bin/python -m docs.engines_table`. A test fails while the table is not
what this writes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore_conn_provider.cli.main import COMMANDS
from tests.engines.environment import (
    NODE_MODULES,
    lend_extensions,
    list_missing,
    make_path,
)
from tests.startup.conftest import AUTOLOAD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE = Path(__file__).parent / "engines.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->\n"
PROGRAM = (sys.executable, "-m", "botocore_conn_provider")
WHOAMI = (*PROGRAM, "whoami", "--everywhere", "--json", "--timeout=120")
VARIABLE = "AIRFLOW_CONN_AWS_DEFAULT"
# Made up. With a session token, as those of a role.
KEYS = {
    VARIABLE: json.dumps(
        {
            "login": "ASIAIOSFODNN7EXAMPLE",
            "password": "x" * 40,
            "extra": {"aws_session_token": "x" * 200, "region_name": "us-east-1"},
        }
    )
}
BROKEN = {VARIABLE: "aws://broken"}
ENGINES_ON = {"BOTOCORE_CONN_ENGINES": "on"}
WORDS = {
    "connection": "connection",
    "endpoint": "connection",
    "machine": "**machine**",
    "unsigned": "*unsigned*",
    "other": "**another**",
    "error": "error",
}


class Column(NamedTuple):
    """A setting in which all engines are tried; `command` is what they run under."""

    title: str
    environ: Mapping[str, str]
    command: str | None = None


COLUMNS = (
    Column("activated", KEYS),
    Column("`BOTOCORE_CONN_ENGINES=on`", {**KEYS, **ENGINES_ON}),
    Column("`botocore-conn exec`", KEYS, "exec"),
    Column("connection wrong: activated", BROKEN),
    Column("… and engines on", {**BROKEN, **ENGINES_ON}),
)


def list_columns() -> list[Column]:
    """Return the settings that there are in this version."""
    return [each for each in COLUMNS if each.command in (None, *COMMANDS)]


def look(column: Column, folder: Path, path: str) -> list[dict[str, Any]]:
    """Return what `whoami` sees in one setting, on a machine that has a role."""
    environ = {
        "HOME": str(folder),
        "PATH": path,
        "PYTHONPATH": str(AUTOLOAD),
        "NODE_PATH": NODE_MODULES,
        **column.environ,
    }
    under = () if column.command is None else (*PROGRAM, column.command, "--")
    ended = subprocess.run(
        [*under, *WHOAMI],
        env=environ,
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    engines: list[dict[str, Any]] = json.loads(ended.stdout)["engines"]
    return engines


def build_table() -> str:
    """Return the table as Markdown; runs each engine once for each column."""
    columns = list_columns()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = make_path(folder / "programs")
        lend_extensions(folder)
        seen = [look(column, folder, path) for column in columns]
    return "\n".join(_list_rows([each.title for each in columns], seen)) + "\n"


def _list_rows(titles: list[str], seen: list[list[dict[str, Any]]]) -> Iterator[str]:
    yield f"| engine | {' | '.join(titles)} |"
    yield "|---" * (len(titles) + 1) + "|"
    for sightings in zip(*seen, strict=True):
        cells = [WORDS[each["identity"]] for each in sightings]
        yield f"| {sightings[0]['name']} | {' | '.join(cells)} |"


def read_table() -> str:
    """Return the table that the page has."""
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


def main() -> None:
    """Write the table into the page."""
    missing = list(list_missing())
    if missing:
        sys.exit(f"Missing: {', '.join(missing)}. Run: make test-engines")
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    table, end = build_table(), rest.partition(END)[2]
    PAGE.write_text(f"{before}{begin}{table}{END}{end}", encoding="utf-8")


if __name__ == "__main__":
    main()
