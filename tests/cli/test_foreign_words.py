"""What another program writes on its standard error never shows its secrets here.

A profile's `credential_process` that prints what it was about to return, and fails.
"""

from __future__ import annotations

import base64
import json
import secrets as random_source
import shlex
import string
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import CONNECTION, ROLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Command
    from tests.leaks import Secrets

KEY_LETTERS = string.ascii_letters + string.digits + "+/"


def draw(length: int) -> str:
    return "".join(random_source.choice(KEY_LETTERS) for _ in range(length))


def build_jwt() -> str:
    parts = (b'{"alg":"RS256","typ":"JWT"}', b'{"sub":"robot","aud":"aws"}')
    head = ".".join(base64.urlsafe_b64encode(p).decode().rstrip("=") for p in parts)
    return f"{head}.{random_source.token_urlsafe(128)}"


PASSWORD = "hunter2-of-jane"
SECRETS: dict[str, tuple[Callable[[], str], str]] = {
    "a secret key": (lambda: draw(40), "cannot use {}"),
    "a secret key after =": (lambda: draw(40), "key={}"),
    "a secret key in JSON": (lambda: draw(40), '{{"Key": "{}"}}'),
    "a secret key after a long text": (lambda: draw(40), "no " * 115 + "{}"),
    "a session token": (lambda: f"IQoJb3JpZ2luX2Vj{draw(400)}", "sent {}"),
    "a JWT": (build_jwt, "refused {}"),
    "an assertion": (
        lambda: base64.b64encode(f"<saml2p:Response>{draw(300)}".encode()).decode(),
        "posted {}",
    ),
    "a sign-in": (
        lambda: base64.b64encode(f"jane:{PASSWORD}".encode()).decode(),
        "> Authorization: Basic {}",
    ),
    "a password in a URL": (lambda: PASSWORD, "https://jane:{}@proxy.corp:3128 fails"),
    "a query": (lambda: PASSWORD, "GET https://h.corp/k?X-Amz-Security-Token={}"),
    "a named password": (lambda: PASSWORD, "client_secret={} is wrong"),
}


def fail_with(words: str, home: Path) -> None:
    """Let the profile `tool` run a program that writes `words` and fails."""
    program = home / "tool.sh"
    program.write_text(f"echo {shlex.quote(words)} >&2\nexit 1\n")
    (home / ".aws" / "config").write_text(
        f"[profile tool]\nregion = eu-west-1\ncredential_process = sh {program}\n"
    )


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("words", ["doctor", "doctor --json", "credential-process"])
def test_secret_on_a_programs_standard_error_is_not_shown(
    name: str,
    words: str,
    command: Command,
    secrets: Secrets,
    isolated: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    make, sentence = SECRETS[name]
    secret = secrets.add(make(), name=name)
    fail_with(f"tool: {sentence.format(secret)}", isolated)
    extra = {"profile_name": "tool", "role_arn": ROLE}
    monkeypatch.setenv(CONNECTION, json.dumps({"extra": extra}))
    bundle = tmp_path / "bundle.json"
    more = ["--bundle", str(bundle)] if "doctor" in words else []

    said = command(*words.split(), *more)

    written = said.out + said.err + (bundle.read_text() if more else "")
    pieces = {secret[i : i + 16] for i in range(max(1, len(secret) - 15))}
    assert [piece for piece in pieces if piece in written] == []
    assert said.code == 1
    if more:
        assert "CredentialRetrievalError" in written
        assert "tool: " in written


def test_words_of_a_program_that_help_are_shown(
    command: Command, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "tool: the ticket of jane@CORP.TEST has expired, run kinit"
    fail_with(words, isolated)
    extra = {"profile_name": "tool"}
    monkeypatch.setenv(CONNECTION, json.dumps({"extra": extra}))

    said = command("doctor")

    assert words in said.out
