"""A login that botocore cannot use here is told before it fails."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from botocore import credentials

from botocore_conn_provider.cli.neighbours.aws_login import LoginSupport, find_login
from tests.cli.conftest import CONNECTION, ROLE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Command

LOGIN = {"login_session": "arn:aws:iam::123456789012:user/me"}
USABLE = LoginSupport("1.44.8", is_known=True, is_usable=True, crt_version="0.38.0")
MISSING = LoginSupport("1.44.8", is_known=True, is_usable=False)
TOO_OLD = MISSING._replace(crt_version="0.20.0")
UNKNOWN = LoginSupport("1.40.0", is_known=False, is_usable=True, crt_version="0.38.0")
SWITCHED_OFF = {"BOTO_DISABLE_CRT": "true"}


@pytest.mark.parametrize(
    ("support", "environ", "text", "fix"),
    [
        (
            MISSING,
            {},
            "awscrt for it, which is not installed",
            "install 'botocore[crt]'",
        ),
        (TOO_OLD, {}, "botocore 1.44.8 cannot use awscrt 0.20.0", "botocore[crt]"),
        (
            TOO_OLD,
            SWITCHED_OFF,
            "BOTO_DISABLE_CRT has botocore",
            "Unset BOTO_DISABLE_CRT",
        ),
        (MISSING, SWITCHED_OFF, "which is not installed", "botocore[crt]"),
        (UNKNOWN, {}, "botocore 1.40.0 does not know that yet", "--upgrade boto3"),
    ],
)
def test_what_is_missing_is_told(
    support: LoginSupport, environ: dict[str, str], text: str, fix: str
) -> None:
    (found,) = find_login({"me": LOGIN}, "me", support, environ=environ)
    assert (found.kind, found.name) == ("login", "me")
    assert found.text.startswith("The profile 'me' signs in by `aws login`")
    assert text in found.text
    assert fix in found.fix


def test_login_that_works_is_not_told() -> None:
    assert [*find_login({"me": LOGIN}, "me", USABLE, environ={})] == []


def test_source_profile_is_looked_at() -> None:
    profiles = {
        "etl": {"role_arn": ROLE, "source_profile": "hop"},
        "hop": {"role_arn": ROLE, "source_profile": "me"},
        "me": LOGIN,
    }
    (found,) = find_login(profiles, "etl", MISSING, environ={})
    assert found.name == "me"
    assert "'me', a source of the profile 'etl', signs in" in found.text


@pytest.mark.parametrize(
    "profile",
    [
        {"aws_access_key_id": "AKIA"},
        {"sso_account_id": "1", "sso_role_name": "r"},
        {"role_arn": ROLE, "web_identity_token_file": "/t"},
        {"role_arn": ROLE, "credential_source": "Environment"},
    ],
)
def test_what_botocore_takes_before_a_login_is_taken(profile: dict[str, str]) -> None:
    profiles = {"me": {**LOGIN, **profile}}
    assert [*find_login(profiles, "me", MISSING, environ={})] == []


def test_odd_name_of_a_profile_breaks_no_line_and_no_terminal() -> None:
    name = "a\nb\x1b[31m" + "c" * 300
    (found,) = find_login({name: LOGIN}, name, MISSING, environ={})
    assert found.text.isprintable()
    assert found.name.isprintable()
    assert len(found.text) < 300


@pytest.mark.parametrize("place", ["profile_name", "AWS_PROFILE", "default", "role"])
def test_installed_botocore_is_asked(
    place: str, command: Command, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without awscrt, as the tests are run; one that has it has nothing to tell."""
    name = "default" if place == "default" else "me"
    section = "default" if place == "default" else "profile me"
    config = isolated / ".aws" / "config"
    config.write_text(f"[{section}]\nlogin_session = {LOGIN['login_session']}\n")
    extra = {"profile_name": {"profile_name": "me"}, "role": {"role_arn": ROLE}}
    monkeypatch.setenv(CONNECTION, json.dumps({"extra": extra.get(place, {})}))
    if place in ("AWS_PROFILE", "role"):
        monkeypatch.setenv("AWS_PROFILE", "me")

    remarks = json.loads(command("lint", "--json").out)["remarks"]

    is_known = hasattr(credentials, "LoginProvider")
    can = is_known and getattr(credentials, "EC", None) is not None
    told = [each["name"] for each in remarks if each.get("kind") == "login"]
    assert told == ([] if can else [name])
