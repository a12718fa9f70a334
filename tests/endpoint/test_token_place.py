"""The token's file: whose it is, what is taken from it, what is left alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.endpoint.token_place import (
    TokenPlaceError,
    draw_token,
    make_token_file,
    open_token_file,
    write_at_once,
)
from tests.endpoint.asking import ask, open_fixed

if TYPE_CHECKING:
    from tests.leaks import Secrets


def read_mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def list_names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture
def place(tmp_path: Path) -> Path:
    directory = tmp_path / "run"
    directory.mkdir()
    return directory / "token"


def test_named_file_is_private_and_has_no_newline(place: Path) -> None:
    made = open_token_file(str(place))
    assert read_mode(place) == 0o600
    assert place.read_text() == made.token.reveal()
    assert list_names(place.parent) == ["token"]


def test_token_that_is_there_goes_on_to_be_the_token(place: Path) -> None:
    first = open_token_file(str(place))
    again = open_token_file(str(place))
    assert again.token == first.token
    assert not again.is_replaced


def test_named_file_outlives_the_endpoint_and_another_does_not(place: Path) -> None:
    named, own = open_token_file(str(place)), make_token_file()
    named.remove()
    own.remove()
    assert place.exists()
    assert not Path(own.path).parent.exists()


def test_named_token_opens_the_endpoint(place: Path, secrets: Secrets) -> None:
    token_file = open_token_file(str(place))
    with open_fixed(secrets, token_file=token_file, path="/credentials") as endpoint:
        assert endpoint.url == f"http://127.0.0.1:{endpoint.port}/credentials"
        assert ask(endpoint, path="/credentials", token=place.read_text()).status == 200
        assert ask(endpoint, path="/credentials", token="other").status == 401


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_token_that_others_may_know_is_replaced(place: Path, mode: int) -> None:
    known = open_token_file(str(place)).token
    place.chmod(mode)
    with place.open() as reader:
        made = open_token_file(str(place))
        assert made.is_replaced
        assert made.token != known
        assert read_mode(place) == 0o600
        assert reader.read() == known.reveal()  # who has it open learns nothing new


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_token_that_somebody_else_wrote_is_replaced(place: Path) -> None:
    known = open_token_file(str(place)).token
    os.chown(place, 65534, 65534)
    made = open_token_file(str(place))
    assert made.is_replaced
    assert made.token != known
    assert place.stat().st_uid == os.geteuid()


def test_empty_file_is_given_a_token(place: Path) -> None:
    place.touch(mode=0o644)
    made = open_token_file(str(place))
    assert place.read_text() == made.token.reveal()
    assert read_mode(place) == 0o600
    assert not made.is_replaced


@pytest.mark.parametrize(
    "content", ["a user's own notes", "ab" * 32 + "\n", "ab" * 33, "AB" * 32]
)
def test_file_of_something_else_is_left_alone(place: Path, content: str) -> None:
    place.write_text(content)
    with pytest.raises(TokenPlaceError, match="no token of this command"):
        open_token_file(str(place))
    assert place.read_text() == content


def test_link_is_not_followed_and_not_replaced(place: Path) -> None:
    target = place.with_name("target")
    open_token_file(str(target))
    place.symlink_to(target)
    with pytest.raises(TokenPlaceError, match="symbolic link"):
        open_token_file(str(place))
    assert place.is_symlink()


def test_pipe_is_not_waited_for(place: Path) -> None:
    os.mkfifo(place)
    with pytest.raises(TokenPlaceError, match="no file"):
        open_token_file(str(place))


def test_directory_is_no_token(place: Path) -> None:
    place.mkdir()
    with pytest.raises(OSError, match="no file"):
        open_token_file(str(place))


def test_full_disk_leaves_what_was_there(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write_text("before")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("botocore_conn_provider.endpoint.token_place.os.replace", fail)
    with pytest.raises(OSError, match="No space"):
        write_at_once(str(place), draw_token().reveal(), 0o600)
    assert place.read_text() == "before"
    assert list_names(place.parent) == ["token"]
