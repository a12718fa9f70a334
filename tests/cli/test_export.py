"""Credentials for the shell that asks."""

from __future__ import annotations

import datetime
import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botocore_conn_provider.cli.export import FORMATS, tell_end, write_keys
from botocore_conn_provider.cli.forms.shell_lines import (
    POWERSHELL_QUOTES,
    SHELLS,
    UnquotableError,
    quote_for_cmd,
    quote_for_powershell,
)
from botocore_conn_provider.cli.main import main
from botocore_conn_provider.cli.process_credentials import IssuedKeys
from botocore_conn_provider.secret import KeyId, Secret
from tests.aws import Fault, build_error
from tests.cli.conftest import CONNECTION, ROLE, Said
from tests.system_packages import explain
from tests.thoroughness import examples

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets

KEY, SECRET_KEY, TOKEN, END = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
)
HOSTILE = [
    "a'b\"c`d$e$(f)g%PATH%h!!i^j\\k\\\\l&m|n;o#p~q*r?s[t]u{v}w<x>y",
    "'",
    "\\'",
    "\\",
    "$(touch owned)",
    "-n",
    " begins and ends ",
    "ключ-鍵-🔑",
    "it\u2019s \u2018smart\u2019 \u201aquotes\u201b",
    "%s\\n\\0{}",
]
ENDED_AT = datetime.datetime(2020, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
FORM_OF = {"sh": "env", "bash": "env", "zsh": "env", "fish": "fish"}
USUAL = ("sh", "bash")  # on every machine
# What a secret key may be: no line break, no control character.
SECRET_KEYS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1
)


class Export:
    """The command in this process. Its standard output is its purpose."""

    def __init__(self, capfdbinary: pytest.CaptureFixture[bytes], leaks: Leaks) -> None:
        self._captured, self._leaks = capfdbinary, leaks

    def __call__(self, *words: str) -> Said:
        code = main(["export", *words])
        out, err = self._captured.readouterr()
        self._leaks.check_text(err.decode(), place="standard error")
        return Said(os.fsdecode(out), err.decode(), code)


@pytest.fixture
def export(capfdbinary: pytest.CaptureFixture[bytes], leaks: Leaks) -> Export:
    return Export(capfdbinary, leaks)


@pytest.fixture
def role(aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> str:
    """A connection with a role, without a store; returns the role."""
    extra = {
        "role_arn": ROLE,
        "region_name": "eu-west-1",
        "service_config": {"sts": {"endpoint_url": aws.url}},
    }
    keys = {"login": secrets.new_access_key_id(), "password": secrets.new("key")}
    monkeypatch.setenv(CONNECTION, json.dumps({**keys, "extra": extra}))
    monkeypatch.setenv("BOTOCORE_CONN_STORE", "off")
    return ROLE


def set_keys(monkeypatch: pytest.MonkeyPatch, secret_key: str, **extra: Any) -> None:
    document = {"login": "AKIAIOSFODNN7EXAMPLE", "password": secret_key, "extra": extra}
    monkeypatch.setenv(CONNECTION, json.dumps(document))


def run_shell(shell: str, lines: str, **environ: str) -> dict[str, str]:
    """Return the environment of a program that is started after the lines."""
    assert shutil.which(shell), explain([shell])
    show = "import json, os; print(json.dumps(dict(os.environ)))"
    code = f"{lines}\nexec '{sys.executable}' -c '{show}'\n"
    inherited = {name: os.environ.get(name, "") for name in ("PATH", "LD_LIBRARY_PATH")}
    ended = subprocess.run(
        [shell, "-c", code.encode()],
        env={**inherited, "LC_ALL": "C.UTF-8", **environ},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.stderr == b""
    found: dict[str, str] = json.loads(ended.stdout)
    return found


def list_shells() -> list[Any]:
    """List each shell and its form, as cases; two are system packages."""
    return [
        pytest.param(shell, form, marks=[] if shell in USUAL else pytest.mark.kerberos)
        for shell, form in FORM_OF.items()
    ]


LEFT_OVER = {TOKEN: "left over", END: "1999-01-01T00:00:00Z"}


def test_role_is_four_variables(role: str, export: Export, aws: Aws) -> None:
    found = run_shell("sh", export().out, **LEFT_OVER)

    assert found[KEY].startswith("ASIA")
    assert found[TOKEN] != LEFT_OVER[TOKEN]
    ends_at = datetime.datetime.fromisoformat(found[END].replace("Z", "+00:00"))
    assert ends_at > datetime.datetime.now(datetime.timezone.utc)
    assert [request.parameters["RoleArn"] for request in aws.sts_requests] == [role]


def test_variables_are_those_of_credential_process(
    role: str, export: Export, monkeypatch: pytest.MonkeyPatch, isolated: Path
) -> None:
    store = isolated / "store"
    store.mkdir(mode=0o700)
    monkeypatch.setenv("BOTOCORE_CONN_STORE", str(store))
    document = json.loads(export("--format", "json").out)

    found = run_shell("sh", export().out)

    assert role
    assert found[KEY] == document["AccessKeyId"]
    assert found[SECRET_KEY] == document["SecretAccessKey"]
    assert found[TOKEN] == document["SessionToken"]
    assert found[END] == document["Expiration"]


def test_end_is_told_on_standard_error(role: str, export: Export) -> None:
    said = export()
    assert role
    assert re.fullmatch(
        r"botocore-conn: nobody renews these credentials\."
        r" They end at 20\d\d-\S+Z, in (59|60) min\.\n",
        said.err,
    )


def test_keys_without_an_end_are_told_as_that(
    export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_keys(monkeypatch, "key")
    assert export().err.endswith("They have no end of their own.\n")
    set_keys(monkeypatch, "key", aws_session_token="token")
    assert export().err.endswith("Nothing here says when they end.\n")


@pytest.mark.parametrize(("shell", "form"), list_shells())
def test_left_over_token_is_removed(
    shell: str, form: str, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_keys(monkeypatch, "key")
    lines = export("--format", form).out

    assert not {TOKEN, END} & set(run_shell(shell, lines, **LEFT_OVER))
    assert not {TOKEN, END} & set(run_shell(shell, lines))


def test_older_name_of_the_token_is_removed_where_it_is_set(
    role: str, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert role
    assert "AWS_SECURITY_TOKEN" not in export().out
    monkeypatch.setenv("AWS_SECURITY_TOKEN", "left over")
    lines = export().out
    assert "AWS_SECURITY_TOKEN" not in run_shell("sh", lines, AWS_SECURITY_TOKEN="x")


@pytest.mark.parametrize(("shell", "form"), list_shells())
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_secret_key_arrives_whole(
    shell: str, form: str, text: str, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_keys(monkeypatch, text)
    assert run_shell(shell, export("--format", form).out)[SECRET_KEY] == text


@settings(max_examples=examples(40), deadline=None)
@given(
    st.lists(SECRET_KEYS, min_size=1, max_size=20),
    st.sampled_from([shell for shell in FORM_OF if shutil.which(shell)]),
)
def test_any_secret_key_arrives_whole(texts: list[str], shell: str) -> None:
    """Many keys in one shell, because to start one takes longest."""
    lines = [
        write_keys(keep(text), FORM_OF[shell]).replace(SECRET_KEY, f"KEY_{number}")
        for number, text in enumerate(texts)
    ]
    found = run_shell(shell, "".join(lines))
    assert [found[f"KEY_{number}"] for number in range(len(texts))] == texts


def keep(secret_key: str) -> IssuedKeys:
    return IssuedKeys(KeyId("AKIAIOSFODNN7EXAMPLE"), Secret(secret_key))


def test_without_export_only_the_shell_has_them(
    export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_keys(monkeypatch, "it's a key")
    lines = export("--format", "env-no-export").out
    assert SECRET_KEY not in run_shell("sh", lines)
    assert (
        run_shell("sh", f'{lines}export SEEN="${SECRET_KEY}"')["SEEN"] == "it's a key"
    )


def read_powershell(line: str) -> str:
    """Return the value of `$Env:NAME='…'`, by PowerShell's rule."""
    quotes = POWERSHELL_QUOTES
    inside = f"(?:[^{quotes[1:]}|({quotes})\\2)*"
    match = re.fullmatch(rf"\$Env:\w+='({inside})'", line)
    assert match
    return re.sub(rf"({quotes})\1", r"\1", match[1])


@given(SECRET_KEYS)
def test_powershell_reads_the_text_back(text: str) -> None:
    assert read_powershell(f"$Env:X={quote_for_powershell(text)}") == text


@given(SECRET_KEYS)
def test_cmd_is_given_what_it_leaves_alone_or_nothing(text: str) -> None:
    is_plain = text.isascii() and not set(text) & set('"%!')
    if is_plain:
        assert quote_for_cmd(text) == text
    else:
        with pytest.raises(ValueError, match=r"^$"):
            quote_for_cmd(text)


@pytest.mark.parametrize("text", ["100%", 'a"b', "wow!", "é", "a\nb"])
def test_what_cmd_would_change_is_refused(
    text: str, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", text)
    monkeypatch.setenv(CONNECTION, "aws://")

    said = export("--format", "windows-cmd")

    assert (said.out, said.code) == ("", 1)
    assert "'aws_default': AWS_SECRET_ACCESS_KEY has a character" in said.err
    assert "--format powershell" in said.err
    assert text not in said.err


def test_cmd_has_its_own_lines(role: str, export: Export) -> None:
    assert role
    lines = export("--format", "windows-cmd").out.splitlines()
    assert [line.partition("=")[0] for line in lines] == [
        f'set "{name}' for name in (KEY, SECRET_KEY, TOKEN, END)
    ]
    assert all(line.endswith('"') for line in lines)


def test_bytes_of_another_encoding_come_out_as_they_came_in(
    export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", os.fsdecode(b"latin-\xe9"))
    monkeypatch.setenv(CONNECTION, "aws://")
    assert b"latin-\xe9" in os.fsencode(export().out)


def test_character_that_no_variable_holds_is_an_error(
    export: Export, monkeypatch: pytest.MonkeyPatch, isolated: Path
) -> None:
    keys = {"Version": 1, "AccessKeyId": "id", "SecretAccessKey": "half: \ud83d"}
    printed = isolated / "keys.json"
    printed.write_text(json.dumps(keys))
    (isolated / ".aws" / "config").write_text(
        f"[profile tool]\ncredential_process = cat {printed}\n"
    )
    monkeypatch.setenv(CONNECTION, '{"extra": {"profile_name": "tool"}}')

    said = export()

    assert (said.out, said.code) == ("", 1)
    assert "a character that no variable can hold" in said.err
    document = json.loads(export("--format", "json").out)
    assert document["SecretAccessKey"] == keys["SecretAccessKey"]


@pytest.mark.parametrize("form", FORMATS)
def test_failure_prints_nothing_but_one_line(
    form: str, role: str, export: Export, aws: Aws
) -> None:
    aws.inject(Fault(403, build_error("AccessDenied")))

    said = export("--format", form)

    assert role
    assert (said.out, said.code) == ("", 1)
    assert said.err.count("\n") == 1
    assert "AccessDenied" in said.err


@pytest.mark.parametrize(
    ("text", "code"), [(None, 4), ('{"extra": {"role_arn": ""}}', 3)]
)
def test_exit_codes_are_those_of_credential_process(
    text: str | None, code: int, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    if text is not None:
        monkeypatch.setenv(CONNECTION, text)
    assert export().code == code


def test_the_end_of_old_credentials_is_not_negative() -> None:
    ended = IssuedKeys(KeyId("id"), Secret("key"), Secret("token"), ENDED_AT)
    assert tell_end(ended).endswith("They end at 2020-01-02T03:04:05Z, in 0 min.")


def test_error_of_a_shell_names_the_variable_only() -> None:
    keys = IssuedKeys(KeyId("id"), Secret("100%"))
    with pytest.raises(UnquotableError) as caught:
        write_keys(keys, "windows-cmd")
    assert str(caught.value) == SECRET_KEY
    assert set(SHELLS) < set(FORMATS)
