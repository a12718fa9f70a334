"""The real parts, made once for all tests that sign in by SAML.

A plug-in of the tests and no conftest, because the tests of the sessions and of the
command line want them too, and one realm is enough. It imports nothing that needs a
system package until a fixture is asked for one, so that all other tests run without.
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import trustme

from tests.federation.saml.idp import Idp
from tests.federation.saml.realm import HOSTS, Realm
from tests.federation.saml.signing import sign_response
from tests.system_packages import explain, find_missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

NAMES = (*HOSTS, "other.corp.test")


class StartIdp(Protocol):
    """Make an IdP that plays these steps."""

    def __call__(
        self, *steps: dict[str, Any], tls_name: str | None = None
    ) -> AbstractContextManager[Idp]: ...


@pytest.fixture(scope="session")
def kerberos() -> None:
    """Fail with the install command where the system packages are missing.

    A test that uses this, or a fixture that does, is marked `kerberos` too, which is
    checked when tests are collected.
    """
    missing = find_missing()
    if missing:
        pytest.fail(explain(missing), pytrace=False)


@pytest.fixture(autouse=True)
def _kerberos_where_marked(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("kerberos"):
        request.getfixturevalue("kerberos")


@pytest.fixture(scope="session")
def realm(kerberos: None) -> Iterator[Realm]:  # noqa: ARG001 - asked first
    made = Realm()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(scope="session")
def signed(
    kerberos: None,  # noqa: ARG001 - asked first
    ca: trustme.CA,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    return sign_response(tmp_path_factory.mktemp("saml"), ca)


@pytest.fixture
def named_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the names of the realm lead to this machine (there is no DNS for them)."""
    real = socket.getaddrinfo

    def resolve(host: Any, *args: Any, **options: Any) -> Any:
        return real("127.0.0.1" if host in NAMES else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.fixture
def ticket(
    realm: Realm,
    named_hosts: None,  # noqa: ARG001 - a fixture can only ask by argument
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """Be in the realm, with a fresh ticket; return the cache's name."""
    cache = realm.new_cache()
    realm.log_in(cache)
    for name, value in realm.environment(cache).items():
        monkeypatch.setenv(name, value)
    return cache


@pytest.fixture
def start_idp(ca: trustme.CA) -> StartIdp:
    def start(
        *steps: dict[str, Any], tls_name: str | None = None
    ) -> AbstractContextManager[Idp]:
        tls = None
        if tls_name:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            ca.issue_cert(tls_name).configure_cert(tls)
        return Idp(list(steps), tls).running()

    return start
