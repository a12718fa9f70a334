"""What all subcommands share: help, exit codes, silence about secrets."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, NoReturn

import pytest

from botocore_conn_provider.cli import lint
from botocore_conn_provider.cli.doctor.screen import Colours, paint
from botocore_conn_provider.cli.doctor.step import Outcome
from botocore_conn_provider.cli.main import COMMANDS, main
from botocore_conn_provider.cli.neighbours.neighbour import Neighbour
from botocore_conn_provider.federation import saml
from tests.cli.conftest import CONNECTION, ROLE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws import Aws
    from tests.child import Children
    from tests.cli.conftest import Command
    from tests.leaks import Secrets


def test_help_names_every_subcommand(command: Command) -> None:
    said = command("--help")
    assert said.code == 0
    assert [name for name in COMMANDS if name not in said.out] == []
    assert "exit status:" in said.out


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_subcommand_has_examples(name: str, command: Command) -> None:
    said = command(name, "--help")
    assert said.code == 0
    assert "examples:" in said.out


@pytest.mark.parametrize(
    "words",
    [
        ["@"],
        ["explain", "@"],
        ["convert", "--to", "@"],
        ["convert", "--to", "uri", "@"],
        ["credential-process", "--deadline", "@"],
        ["doctor", "--conn-idd", "@"],
    ],
)
def test_wrong_argument_is_not_repeated(
    words: list[str], command: Command, secrets: Secrets
) -> None:
    text = f"aws://AKIA:{secrets.new('password')}@/"
    said = command(*[text if word == "@" else word for word in words])
    assert said.code == 2
    assert "botocore-conn" in said.err


def test_missing_argument_is_named(command: Command) -> None:
    assert "required: --to" in command("convert").err


@pytest.mark.parametrize("words", [["explain"], ["lint"], ["doctor"]])
def test_debug_shows_no_secret(
    words: list[str], aws: Aws, secrets: Secrets, run_python: Children
) -> None:
    extra = {
        "role_arn": ROLE,
        "region_name": "eu-west-1",
        "service_config": {"sts": {"endpoint_url": aws.url}},
    }
    keys = {"login": secrets.new_access_key_id(), "password": secrets.new("key")}
    code = f"""
        from botocore_conn_provider.cli.main import main
        raise SystemExit(main({[*words, "--debug"]!r}))
    """
    document = json.dumps({**keys, "extra": extra})

    ended = run_python(code, env={CONNECTION: document})

    assert ended.returncode == 0, ended.stdout
    assert "DEBUG botocore" in ended.stderr


def test_reader_that_goes_away_is_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run(
        [sys.executable, "-m", "botocore_conn_provider", "explain", "--json"],
        env={**os.environ, CONNECTION: "aws://"},
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert (ended.stderr, ended.returncode) == ("", 1)


def test_interrupt_ends_quietly(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(lint, "run", interrupt)
    assert command("lint") == ("", "", 130)


def test_missing_extra_has_its_own_code(
    monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    monkeypatch.setitem(sys.modules, "lxml", None)
    for name in [
        n
        for n in sys.modules
        if n.startswith("botocore_conn_provider.federation.saml.")
    ]:
        monkeypatch.delitem(sys.modules, name)
        # Else `from package import module` finds what an earlier test imported.
        monkeypatch.delattr(saml, name.rpartition(".")[2], raising=False)
    sign_in = {"idp_url": "https://idp", "idp_auth_method": "http_spegno_auth"}
    extra = {
        "role_arn": ROLE,
        "assume_role_method": "assume_role_with_saml",
        "assume_role_with_saml": sign_in,
    }
    monkeypatch.setenv(CONNECTION, json.dumps({"extra": extra}))

    said = command("doctor")

    assert said.code == 5
    assert "pip install 'botocore-conn-provider[saml]'" in said.out


OUTCOMES = [
    Outcome("DNS", 0.1, ("seen [bold]x",)),
    Outcome(
        "here", 0.1, warnings=(Neighbour("engine", "x", "it is [red]here", "wait"),)
    ),
    Outcome("TCP", 0.1, cause="no", fix="go"),
]


def test_people_see_the_same_lines_in_colour(tmp_path: Path) -> None:
    from rich.console import Console

    path = tmp_path / "screen"
    with path.open("w") as file:
        screen = Colours(Console(file=file, force_terminal=False))
        for outcome in OUTCOMES:
            screen.begin(outcome.step)
            screen.end(outcome)
    assert path.read_text().splitlines() == [
        "✓ DNS (100 ms)",
        "    seen [bold]x",
        "! here (100 ms)",
        "    warning: it is [red]here",
        "    fix: wait",
        "✗ TCP (100 ms)",
        "    cause: no",
        "    fix: go",
    ]
    assert str(paint("    cause: no").style) == "red"
    assert str(paint("! here (100 ms)").style) == "bold yellow"


@pytest.mark.parametrize("width", [1, 8, 30])
def test_narrow_terminal_loses_no_word(width: int) -> None:
    from rich.console import Console

    file = io.StringIO()
    screen = Colours(Console(file=file, force_terminal=False, width=width))
    for outcome in OUTCOMES:
        screen.end(outcome)
    shown = "".join(file.getvalue().split())
    for word in ("!here", "warning:itis[red]here", "fix:wait", "cause:no"):
        assert word in shown


@pytest.mark.parametrize("name", ["explain", "doctor"])
@pytest.mark.parametrize("with_rich", [True, False])
def test_terminal_without_rich_is_served_too(
    name: str,
    with_rich: bool,  # noqa: FBT001 - a case
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    if not with_rich:
        monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.setenv(CONNECTION, "aws://" if name == "explain" else "")
    main([name])
    assert (
        "Connection" if name == "explain" else "variable"
    ) in capsys.readouterr().out
