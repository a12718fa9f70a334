from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.errors import IdpRequestError
from tests.federation.saml.asking import build_fetcher, build_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.federation.saml.parts import StartIdp
    from tests.federation.saml.realm import Realm

pytestmark = pytest.mark.kerberos

Environment = dict[str, str]


def have_no_ticket(_: Realm, env: Environment) -> None:
    del env["KRB5_CLIENT_KTNAME"]


def have_no_keytab(_: Realm, __: Environment) -> None:
    pass


def have_expired_ticket(realm: Realm, env: Environment) -> None:
    realm.log_in(env["KRB5CCNAME"], life="1s")
    command = ["klist", "-s", "-c", env["KRB5CCNAME"]]
    while subprocess.run(command, env={**os.environ, **env}).returncode == 0:  # noqa: PLW1510
        time.sleep(0.2)
    time.sleep(1.1)  # Kerberos counts whole seconds


def have_broken_cache(_: Realm, env: Environment) -> None:
    Path(env["KRB5CCNAME"].partition(":")[2]).write_bytes(b"junkjunk")


def have_junk_keytab(_: Realm, env: Environment) -> None:
    Path(env["KRB5CCNAME"].partition(":")[2] + ".keytab").write_bytes(b"junk")
    env["KRB5_CLIENT_KTNAME"] = env["KRB5CCNAME"].partition(":")[2] + ".keytab"


def have_old_keytab(realm: Realm, env: Environment) -> None:
    env["KRB5_CLIENT_KTNAME"] = str(realm.make_keytab("changed"))
    realm.change_key("changed")


def have_foreign_keytab(realm: Realm, env: Environment) -> None:
    env["KRB5_CLIENT_KTNAME"] = str(realm.make_keytab("removed"))
    realm.remove("removed")


def have_ticket(realm: Realm, env: Environment) -> None:
    realm.log_in(env["KRB5CCNAME"])


def have_no_kdc(realm: Realm, env: Environment) -> None:
    realm.log_in(env["KRB5CCNAME"])
    text = Path(env["KRB5_CONFIG"]).read_text()
    path = realm.directory / "kdcless.conf"
    path.write_text(re.sub(r"kdc = \S+", "kdc = 127.0.0.1:1", text))
    env["KRB5_CONFIG"] = str(path)


def have_bad_config(realm: Realm, env: Environment) -> None:
    path = realm.directory / "bad.conf"
    path.write_text("[libdefaults\nx")
    env["KRB5_CONFIG"] = str(path)


CASES: dict[str, tuple[Callable[[Realm, Environment], None], str, str]] = {
    "no ticket": (have_no_ticket, "idp.corp.test", "there is no Kerberos ticket"),
    "keytab not there": (have_no_keytab, "idp.corp.test", "keytab is not there"),
    "expired": (have_expired_ticket, "idp.corp.test", "ticket has expired.*kinit"),
    "broken cache": (have_broken_cache, "idp.corp.test", "ticket cache is broken"),
    "junk keytab": (have_junk_keytab, "idp.corp.test", "client keytab yields none"),
    "old keytab": (have_old_keytab, "idp.corp.test", "does not accept the key"),
    "foreign keytab": (have_foreign_keytab, "idp.corp.test", "fits no principal"),
    "no kdc": (have_no_kdc, "idp.corp.test", "no KDC can be reached"),
    "by address": (have_ticket, "127.0.0.1", "names the IdP by address"),
    "unknown service": (
        have_ticket,
        "other.corp.test",
        r"does not know the service HTTP/other.corp.test \(principal user@CORP.TEST\)",
    ),
}


@pytest.fixture
def environment(
    realm: Realm,
    named_hosts: None,  # noqa: ARG001 - a fixture can only ask by argument
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Environment]:
    env = realm.environment(realm.new_cache())
    yield env
    for name in env:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", CASES)
def test_reason_for_no_ticket_is_told(
    name: str,
    realm: Realm,
    environment: Environment,
    start_idp: StartIdp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arrange, host, words = CASES[name]
    arrange(realm, environment)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    with (
        start_idp({"sign_in": True}) as idp,
        pytest.raises(IdpRequestError, match=words) as caught,
    ):
        build_fetcher(idp.url(host)).fetch_proof()

    assert caught.value.retryable == (name == "no kdc")
    assert len(idp.seen) == 1


# In a child: gssapi raises once more where it lets go of such credentials, and
# nobody can catch that there.
def test_broken_configuration_is_told(
    realm: Realm, environment: Environment, start_idp: StartIdp
) -> None:
    have_bad_config(realm, environment)
    with start_idp({"sign_in": True}) as idp:
        said = run_sign_in(idp.url("localhost"), environment)

    assert "configuration cannot be read" in said
    assert len(idp.seen) == 1


@pytest.mark.parametrize("kind", ["FILE", "DIR"])
def test_client_keytab_renews_tickets_by_itself(
    kind: str,
    realm: Realm,
    environment: Environment,
    start_idp: StartIdp,
    signed: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment["KRB5CCNAME"] = realm.new_cache(kind)
    environment["KRB5_CLIENT_KTNAME"] = str(realm.make_keytab(f"robot-{kind}"))
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    with start_idp({"sign_in": True, "body": build_page(signed)}) as idp:
        proof = build_fetcher(idp.url()).fetch_proof()

    assert proof.assertion.reveal() == signed


PROGRAM = """
import os, sys
from botocore_conn_provider.connection.settings import AssumeRoleWithSaml, SamlSignIn
from botocore_conn_provider.errors import IdpRequestError
from botocore_conn_provider.federation.saml import SamlProofFetcher
role = AssumeRoleWithSaml(sys.argv[2], SamlSignIn(sys.argv[1]))
fetcher = SamlProofFetcher(role, conn_id="x", deadline_seconds=20, allow_plugins=False,
    environ=dict(os.environ))
try:
    print(fetcher.fetch_proof().principal_arn)
except IdpRequestError as error:
    print(error)
"""


def run_sign_in(url: str, env: Environment) -> str:
    """Sign in from a child process (for what only a new process can have)."""
    role = "arn:aws:iam::123456789012:role/analyst"
    child = subprocess.run(
        [sys.executable, "-c", PROGRAM, url, role],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return child.stdout


@pytest.mark.parametrize("cache", ["MEMORY:x", "KEYRING:process:conn-saml"])
def test_caches_without_a_file_work(
    cache: str,
    realm: Realm,
    environment: Environment,
    start_idp: StartIdp,
    signed: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keytab = str(realm.make_keytab(f"robot-{cache[:3].lower()}"))
    environment |= {"KRB5CCNAME": cache, "KRB5_CLIENT_KTNAME": keytab}
    monkeypatch.setenv("KRB5_KTNAME", realm.service_keytab)
    with start_idp({"sign_in": True, "body": build_page(signed)}) as idp:
        said = run_sign_in(idp.url("localhost"), environment)

    assert "saml-provider/corp" in said


def test_name_changed_by_canonicalisation_is_told(
    realm: Realm,
    environment: Environment,
    start_idp: StartIdp,
    tmp_path: Path,
) -> None:
    libraries = [*Path("/usr/lib").glob("*/libnss_wrapper.so")]
    assert libraries, "libnss_wrapper is missing: apt-get install libnss-wrapper"
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 node7.corp.test idp.corp.test\n")
    realm.log_in(environment["KRB5CCNAME"])
    settings = {"dns_canonicalize_hostname": "true", "rdns": "true"}
    environment["KRB5_CONFIG"] = realm.write_config("dns.conf", settings)
    environment["LD_PRELOAD"] = str(libraries[0])
    environment["NSS_WRAPPER_HOSTS"] = str(hosts)
    with start_idp({"sign_in": True}) as idp:
        said = run_sign_in(idp.url("idp.corp.test"), environment)

    assert "The name was changed to node7.corp.test on the way" in said


def test_target_name_is_the_service_of_a_load_balancer(
    realm: Realm,
    environment: Environment,
    start_idp: StartIdp,
    signed: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    realm.log_in(environment["KRB5CCNAME"])
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    auth = {"target_name": "HTTP@idp2.corp.test"}
    with start_idp({"sign_in": True, "body": build_page(signed)}) as idp:
        fetcher = build_fetcher(idp.url("127.0.0.1"), sign_in={"auth": auth})

        assert fetcher.fetch_proof().assertion.reveal() == signed
