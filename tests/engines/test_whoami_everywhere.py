"""Each engine, run for real: as whom it signs, on a machine that has a role."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.engines.environment import BLIND, NOT_REACHED, PROGRAMS, REACHED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws import Aws
    from tests.engines.conftest import LookEverywhere
    from tests.leaks import Secrets
    from tests.ways import Proxy

BROKEN = {"AIRFLOW_CONN_AWS_DEFAULT": "aws://broken"}
EXEC = (sys.executable, "-m", "botocore_conn_provider", "exec", "--")
ROLE = "arn:aws:iam::123456789012:role/other"
START_URL = "https://example.awsapps.com/start"
# Where a program connects to or sends to, as strace writes it.
ADDRESS = re.compile(r'sin6?_port=htons\((\d+)\).*?(?:inet_addr\(|AF_INET6, )"([^"]+)"')


def test_activation_reaches_botocore_and_no_other_engine(
    look_everywhere: LookEverywhere, connection: dict[str, str]
) -> None:
    seen = look_everywhere(connection)

    assert seen.of("connection") == REACHED
    assert seen.of("machine") == NOT_REACHED
    assert seen.of("error") == BLIND
    assert seen.returncode == 1
    advice = " ".join(seen.document["advice"])
    assert "BOTOCORE_CONN_ENGINES=on" in advice
    assert "botocore-conn exec" in advice
    assert "botocore-conn activate" not in advice


def test_each_engine_tells_its_version(
    look_everywhere: LookEverywhere, connection: dict[str, str]
) -> None:
    seen = look_everywhere(connection)
    versions = {each["name"]: each["version"] for each in seen.document["engines"]}
    assert set(versions) == REACHED | NOT_REACHED | BLIND
    assert all(re.match(r"\d+\.\d+", str(version)) for version in versions.values())


def test_wrong_connection_stops_botocore_and_no_other_engine(
    look_everywhere: LookEverywhere,
) -> None:
    seen = look_everywhere(BROKEN)

    assert seen.of("error") == REACHED | BLIND
    assert all("Connection 'aws_default'" in seen.detail(each) for each in REACHED)
    assert seen.of("machine") == NOT_REACHED
    assert seen.returncode == 1


@pytest.mark.parametrize("role", [{}, {"role_arn": ROLE}], ids=["keys", "role"])
def test_engines_switched_on_are_all_the_connection(
    look_everywhere: LookEverywhere,
    connection: dict[str, str],
    role: dict[str, str],
) -> None:
    """Keys are handed to them in variables, and a role's by the endpoint."""
    document = json.loads(connection["AIRFLOW_CONN_AWS_DEFAULT"])
    document["extra"].update(role)
    connection["AIRFLOW_CONN_AWS_DEFAULT"] = json.dumps(document)

    seen = look_everywhere({**connection, "BOTOCORE_CONN_ENGINES": "on"})

    assert seen.of("connection") == (REACHED | NOT_REACHED | BLIND) - PROGRAMS
    assert seen.of("machine") == PROGRAMS


def test_engines_switched_on_are_not_the_machine_if_the_connection_is_wrong(
    look_everywhere: LookEverywhere,
) -> None:
    seen = look_everywhere({**BROKEN, "BOTOCORE_CONN_ENGINES": "on"})

    assert seen.of("unsigned") == {"pyarrow"}
    assert seen.of("machine") == PROGRAMS
    assert seen.of("connection") == set()
    assert "InvalidConnection" in seen.detail("obstore")


def test_under_exec_each_engine_and_program_is_the_connection(
    look_everywhere: LookEverywhere, connection: dict[str, str], aws: Aws
) -> None:
    document = json.loads(connection["AIRFLOW_CONN_AWS_DEFAULT"])
    endpoints = {"sts": {"endpoint_url": aws.url}}
    document["extra"].update(role_arn=ROLE, service_config=endpoints)
    connection["AIRFLOW_CONN_AWS_DEFAULT"] = json.dumps(document)
    store = {"BOTOCORE_CONN_STORE": "off"}

    seen = look_everywhere({**connection, **store}, under=EXEC)

    assert seen.of("connection") == REACHED
    assert seen.of("endpoint") == NOT_REACHED | BLIND
    assert seen.returncode == 0
    assert [request.action for request in aws.sts_requests] == ["AssumeRole"]


def test_without_a_connection_each_engine_is_the_machine(
    look_everywhere: LookEverywhere,
) -> None:
    seen = look_everywhere({})
    assert seen.of("machine") == REACHED | NOT_REACHED


def test_keys_of_the_environment_win_in_all_that_is_not_reached(
    look_everywhere: LookEverywhere, connection: dict[str, str], secrets: Secrets
) -> None:
    key_id = secrets.new_access_key_id()
    keys = {
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": secrets.new("secret key"),
    }

    seen = look_everywhere({**connection, **keys})

    assert seen.of("connection") == REACHED
    assert seen.of("other") == NOT_REACHED | BLIND
    ends = {each["key_ends"] for each in seen.document["engines"]}
    assert ends == {None, key_id[-4:]}


def test_profile_is_used_by_all_but_duckdb_and_the_clients_of_object_store(
    look_everywhere: LookEverywhere,
    connection: dict[str, str],
    secrets: Secrets,
    isolated: Path,
) -> None:
    (isolated / ".aws" / "config").write_text(
        f"[profile own]\naws_access_key_id={secrets.new_access_key_id()}\n"
        f"aws_secret_access_key={secrets.new('secret key')}\n"
    )

    seen = look_everywhere({**connection, "AWS_PROFILE": "own"})

    blind = {"polars with options", "obstore", "deltalake", "DuckDB"}
    assert seen.of("machine") == blind
    assert seen.of("other") == (NOT_REACHED | BLIND) - blind


def test_without_metadata_pyarrow_and_daft_go_unsigned(
    look_everywhere: LookEverywhere, connection: dict[str, str]
) -> None:
    seen = look_everywhere({**connection, "AWS_EC2_METADATA_DISABLED": "true"})
    assert seen.of("unsigned") == {"pyarrow", "daft"}
    assert seen.returncode == 1


def test_requests_to_loopback_pass_no_proxy(
    look_everywhere: LookEverywhere, connection: dict[str, str], proxy: Proxy
) -> None:
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy")

    seen = look_everywhere({**connection, **dict.fromkeys(names, proxy.url)})

    assert seen.of("connection") == REACHED
    assert seen.of("machine") == NOT_REACHED
    assert proxy.requests == []


def write_role_profile(home: Path, secrets: Secrets) -> None:
    (home / ".aws" / "config").write_text(
        f"[profile own]\nrole_arn={ROLE}\nsource_profile=base\nregion=eu-west-1\n"
        f"[profile base]\naws_access_key_id={secrets.new_access_key_id()}\n"
        f"aws_secret_access_key={secrets.new('secret key')}\n"
    )


def write_portal_profile(home: Path, secrets: Secrets) -> None:
    """Write a profile of somebody who has signed in by `aws sso login`."""
    (home / ".aws" / "config").write_text(
        f"[profile own]\nsso_start_url={START_URL}\nsso_region=eu-west-1\n"
        "sso_account_id=123456789012\nsso_role_name=other\nregion=eu-west-1\n"
    )
    cache = home / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    name = hashlib.sha1(START_URL.encode(), usedforsecurity=False).hexdigest()
    token = {
        "startUrl": START_URL,
        "region": "eu-west-1",
        "accessToken": secrets.new("portal token"),
        "expiresAt": time.strftime(
            "%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 9e4)
        ),
    }
    (cache / f"{name}.json").write_text(json.dumps(token))


@pytest.mark.parametrize("write", [None, write_role_profile, write_portal_profile])
def test_nothing_connects_to_anything_but_loopback(
    look_everywhere: LookEverywhere,
    secrets: Secrets,
    isolated: Path,
    tmp_path: Path,
    write: object,
) -> None:
    env = {}
    if callable(write):
        write(isolated, secrets)
        env["AWS_PROFILE"] = "own"
    trace = tmp_path / "trace"
    strace = (shutil.which("strace") or "strace", "-f", "-o", str(trace))

    look_everywhere(env, under=(*strace, "-e", "trace=connect,sendto,sendmsg,sendmmsg"))

    addresses = {found[2] for found in ADDRESS.finditer(trace.read_text("latin-1"))}
    assert "127.0.0.1" in addresses
    assert {each for each in addresses if not each.startswith("127.")} <= {"::1"}
