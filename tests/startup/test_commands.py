from __future__ import annotations

import os
import site as site_module
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.cli.main import main
from botocore_conn_provider.startup import (
    activation,
    child_interpreter,
    site_directory,
    site_files,
)
from tests.startup.conftest import AUTOLOAD, IS_ARMED, Interpreter, find_site

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in for a site directory of this interpreter."""
    directory = tmp_path / "site"
    directory.mkdir()
    monkeypatch.setattr(site_module, "getsitepackages", lambda: [str(directory)])
    monkeypatch.setattr(site_module, "ENABLE_USER_SITE", False)
    return directory


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(list(words))
    shown = capsys.readouterr()
    return status, shown.out, shown.err


def test_activate_and_deactivate_say_what_they_did(
    environment: Interpreter,
) -> None:
    place = find_site(environment)
    python = [str(environment.python), "-m", "botocore_conn_provider"]
    files = [place / name for name in site_files.FILES]
    shown = environment.run([*python, "activate"]).splitlines()
    assert shown[:2] == [f"Wrote {path}" for path in files]
    assert environment(IS_ARMED) == "1"
    assert environment.run([*python, "activate"]) == f"Already active: {place}"
    shown = environment.run([*python, "deactivate"]).splitlines()
    assert shown == [f"Removed {path}" for path in files]
    assert environment(IS_ARMED) == "0"
    shown_last = environment.run([*python, "deactivate"])
    assert shown_last == f"Nothing to remove in {place}"


def test_files_of_an_older_version_are_replaced(site: Path) -> None:
    (site / "botocore_conn_provider.pth").write_text("import old\n")
    assert site_files.write_site_files(site) == site_files.find_site_files(site)
    assert (site / "botocore_conn_provider.pth").stat().st_mode & 0o777 == 0o644


def test_failed_write_leaves_nothing(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    status, _, err = run(capsys, "activate", "--site", str(site))
    assert (status, err) == (1, f"{site}: No space left on device.\n")
    assert list(site.iterdir()) == []


def test_failed_removal_is_said(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site_files.write_site_files(site)

    def fail(_self: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", fail)
    status, _, err = run(capsys, "deactivate", "--site", str(site))
    assert (status, err) == (1, f"{site}: Permission denied.\n")


def test_directory_that_site_does_not_read_is_refused(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = run(capsys, "activate", "--site", str(tmp_path / "other"))
    assert status == 1
    assert "is not a site directory" in err
    assert str(site) in err


def test_switched_off_user_site_is_refused(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del site
    for word in ("activate", "deactivate"):
        status, _, err = run(capsys, word, "--user")
        assert status == 1
        assert "does not read a user site directory" in err


def test_user_site_is_made_and_used(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = tmp_path / "new" / "users"
    monkeypatch.setattr(site_module, "ENABLE_USER_SITE", True)
    monkeypatch.setattr(site_module, "getusersitepackages", lambda: str(users))
    assert main(["activate", "--user"]) == 0
    assert site_files.find_site_files(users)
    assert site_directory.list_directories() == [site, users]


def test_directory_that_cannot_be_made_is_refused(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.rmdir()
    site.write_text("a file")
    status, _, err = run(capsys, "activate", "--site", str(site))
    assert status == 1
    assert "cannot be made" in err


def test_directory_that_cannot_be_written_is_refused(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    status, _, err = run(capsys, "activate", "--site", str(site))
    assert status == 1
    assert "cannot be written to by this user" in err


def check_in(interpreter: Interpreter, *path: Path) -> Sequence[str]:
    command = [str(interpreter.python), "-m", "botocore_conn_provider"]
    return interpreter.run([*command, "activate", "--check"], path=path).splitlines()


def test_check_names_who_owns_sitecustomize(
    interpreter: Interpreter, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "sitecustomize.py").write_text("print('noise')\n")
    shown = check_in(interpreter, theirs, AUTOLOAD)
    assert f"sitecustomize: {theirs / 'sitecustomize.py'}" in shown
    assert any("NOT active" in line for line in shown)
    shown = check_in(interpreter, AUTOLOAD, theirs)
    assert any("A child interpreter is active" in line for line in shown)


def test_check_names_our_files(environment: Interpreter) -> None:
    environment.run(
        [str(environment.python), "-m", "botocore_conn_provider", "activate"]
    )
    shown = check_in(environment)
    place = find_site(environment)
    assert shown[:2] == [f"Active through {place / name}" for name in site_files.FILES]


def test_check_says_that_the_environment_switches_it_off(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del site
    monkeypatch.delenv("AIRFLOW_CONN_AWS_DEFAULT", raising=False)
    works, lines = activation.check()
    assert not works
    assert lines[-1].startswith("In this environment activation is off")


def test_child_that_cannot_be_asked_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> child_interpreter.ChildReport:
        raise subprocess.TimeoutExpired("python", 60)

    monkeypatch.setattr(activation, "ask_child", fail)
    status, _, err = run(capsys, "activate", "--check")
    assert (status, err) == (
        1,
        "The child interpreter failed: TimeoutExpired.\n",
    )


def test_outside_a_virtual_environment_the_users_site_is_meant(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del site
    monkeypatch.setattr(sys, "base_prefix", sys.prefix)
    with pytest.raises(site_directory.ActivationError, match="user site"):
        site_directory.choose_directory(user=False, given=None)


def test_everyday_answers_in_process(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (("activate",), ("activate",), ("deactivate",), ("deactivate",)):
        assert run(capsys, *words, "--site", str(site))[0] == 0
    assert site_files.find_site_files(site) == []


def test_environments_own_site_is_meant_in_a_virtual_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "base_prefix", f"{sys.prefix}/base")
    chosen = site_directory.choose_directory(user=False, given=None)
    assert chosen == Path(sysconfig.get_path("purelib"))
